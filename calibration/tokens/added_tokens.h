// Tokens that are found in a text before anything else is done with it: the "added_tokens" of a
// tokenizer.json, such as "<|im_start|>".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/tokens/normalizer.h"
#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool alone = false;                // only where no word goes on beside it
  bool left = false, right = false;  // takes the white space there with it
  bool normalized = false;           // is looked for behind the normalizer
};

class AddedTokens {
 public:
  // normalizer: that of the tokenizer, for tokens that are looked for behind it; may be null.
  AddedTokens(const std::vector<Place>& places, const Normalizer& normalizer);

  struct Part {
    std::string text;  // empty: it is a token
    std::optional<std::int64_t> id = {};
    std::size_t first = 0;  // where it begins
  };
  // The text cut at tokens, from the left, of several the longest: at those of the original text,
  // or of the normalized one.
  std::vector<Part> cut(std::string_view text, bool normalized) const;

  std::optional<std::int64_t> find(std::string_view content) const;

 private:
  const AddedToken* at(std::string_view text, std::size_t place, bool normalized,
                       std::size_t& length) const;

  std::vector<AddedToken> tokens_;
  // Which of them a text begins with: by what is looked for. [0]: in the original text.
  std::map<std::string, std::size_t, std::less<>> wanted_[2];
  std::size_t longest_[2] = {0, 0};
};

}  // namespace intaglio
