// --samples FILE: what both models say of every sample, those first on which they part most.
#pragma once

#include <filesystem>
#include <string>

#include "lib/eval/evaluate.h"

namespace intaglio {

// By the ending of the file: `.csv`, a line for each sample under a header, or `.json`
// (intaglio.samples/1). Both have the same columns: `sample`, `label`, the class and its score of
// either model, whether they are the same, `sqnr_db` and `cosine` (of the output that fares worst),
// boxes of either and pairs of them, the strings of either as classes, and the errors in them. What a
// model does not have is empty, or null.
std::string samples_file_text(const Evaluation& evaluation, const std::filesystem::path& file);

// Throws Code::usage for another ending; an empty path is none.
void require_samples_file(const std::filesystem::path& file);

}  // namespace intaglio
