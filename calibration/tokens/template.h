// Tokens that stand around those of a text: the "post_processor" of a tokenizer.json.
#pragma once

#include <cstdint>
#include <vector>

#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

struct TokenTemplate {
  std::vector<std::int64_t> front, back;
};

// Of BertProcessing, RobertaProcessing, TemplateProcessing (that of one text), ByteLevel (none), and
// a Sequence of these; others are refused by name (Code::unsupported).
TokenTemplate read_template(const Place& place);

}  // namespace intaglio
