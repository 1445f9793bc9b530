// Settings as the command line spells them.
//
// The libraries know no command line: their texts name settings, in backquotes and with what is
// given to them ("Give `labels FILE.csv`."). What a user reads has flags instead ("Give --labels
// FILE.csv."), so all that the program says passes here: errors, warnings, tables, JSON and pages.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/json.h"

namespace intaglio {

// The settings that texts of the libraries name, sorted: the flags without their dashes.
std::span<const std::string_view> named_settings();

// `name rest` as --name rest, where the name is one of these. Other backquotes stay as they are:
// they may be part of a name in the user's model.
std::string with_flags(std::string_view text);

// The same for the sentences of a document: reasons, remedies, warnings and their kin. Names stay.
Json sentences_with_flags(Json document);

}  // namespace intaglio
