// How a tokenizer cuts a text into words, which are tokenized one by one: the "pre_tokenizer" of a
// tokenizer.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

struct Piece {
  std::string text;
  bool first = false;  // the document begins with it
};

using PreTokenizer = std::function<std::vector<Piece>(std::vector<Piece>)>;

// Of Sequence, BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation,
// Split, Whitespace, WhitespaceSplit; others are refused by name (Code::unsupported). No piece is
// empty.
PreTokenizer make_pre_tokenizer(const Place& place);

}  // namespace intaglio
