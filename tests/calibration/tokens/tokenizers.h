// Small tokenizers for tests, as tokenizer.json has them.
#pragma once

#include <string>
#include <vector>

#include "lib/base/json.h"

namespace intaglio::testing {

// Byte pair encoding of bytes: ids 0..255 are the bytes, then come the results of merges, in order,
// and "<|end|>".
nlohmann::json byte_level_tokenizer(const nlohmann::json& pre_tokenizer);
// How GPT-2 cuts words.
nlohmann::json byte_level(bool add_prefix_space = false, bool use_regex = true);

// WordPiece with [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, and 20 words.
nlohmann::json bert_tokenizer();

}  // namespace intaglio::testing
