// What a tokenizer changes in a text before it cuts it: the "normalizer" of a tokenizer.json.
#pragma once

#include <functional>
#include <string>

#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

using Normalizer = std::function<std::string(std::string)>;

// Of Sequence, BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Strip,
// StripAccents; others are refused by name (Code::unsupported).
Normalizer make_normalizer(const Place& place);

}  // namespace intaglio
