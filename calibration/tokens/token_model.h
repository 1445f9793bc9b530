// How one word becomes tokens: the "model" of a tokenizer.json.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

struct HashOfText {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using Vocabulary = std::unordered_map<std::string, std::int64_t, HashOfText, std::equal_to<>>;

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  virtual std::string_view kind() const = 0;  // "BPE"
  virtual const Vocabulary& vocabulary() const = 0;
  // Appends the tokens of a word, which is not empty. May be called from many threads.
  virtual void add(std::string_view word, std::vector<std::int64_t>& ids) const = 0;
};

// Of BPE and WordPiece; others are refused by name (Code::unsupported). Throws Code::config for a
// model that contradicts itself.
std::unique_ptr<TokenModel> make_token_model(const Place& place);

// The two kinds.
std::unique_ptr<TokenModel> make_bpe(const Place& place);
std::unique_ptr<TokenModel> make_word_piece(const Place& place);

Vocabulary read_vocabulary(const Place& place);

}  // namespace intaglio
