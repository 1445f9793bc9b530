// WordPiece: the longest token that a word begins with, then of the rest (Wu et al. 2016; Devlin et
// al. 2018).
#include <fmt/format.h>

#include "calibration/tokens/token_model.h"
#include "calibration/tokens/unicode.h"

namespace intaglio {
namespace {

class WordPiece final : public TokenModel {
 public:
  explicit WordPiece(const Place& place)
      : vocabulary_(read_vocabulary(place.at("vocab"))),
        prefix_(place.text("continuing_subword_prefix", "##")),
        longest_(place.has("max_input_chars_per_word") ? place.number("max_input_chars_per_word")
                                                       : 100) {
    const std::string unknown = place.text("unk_token", "[UNK]");
    const auto it = vocabulary_.find(unknown);
    if (it == vocabulary_.end())
      place.fail(fmt::format("the token '{}' is not in the vocabulary", unknown));
    unknown_ = it->second;
    for (const auto& [token, id] : vocabulary_)
      longest_token_ = std::max(longest_token_, token.size());
  }

  std::string_view kind() const override { return "WordPiece"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void add(std::string_view word, std::vector<std::int64_t>& ids) const override {
    const std::size_t before = ids.size();
    bool known = std::ssize(unicode::characters(word)) <= longest_;
    for (std::size_t at = 0; known && at < word.size();) {
      const std::size_t length = add_longest(word.substr(at), at > 0 ? prefix_ : "", ids);
      known = length > 0;
      at += length;
    }
    if (known) return;
    ids.resize(before);
    ids.push_back(unknown_);
  }

 private:
  // How many bytes of it the token takes; 0: there is none.
  std::size_t add_longest(std::string_view rest, const std::string& prefix,
                          std::vector<std::int64_t>& ids) const {
    for (std::size_t length = std::min(rest.size(), longest_token_); length > 0; --length) {
      const bool inside =  // of a character
          length < rest.size() && (static_cast<unsigned char>(rest[length]) & 0xc0) == 0x80;
      if (inside) continue;
      const auto it = vocabulary_.find(prefix + std::string(rest.substr(0, length)));
      if (it == vocabulary_.end()) continue;
      ids.push_back(it->second);
      return length;
    }
    return 0;
  }

  Vocabulary vocabulary_;
  std::string prefix_;
  std::int64_t longest_, unknown_ = 0;  // longest: word, in characters
  std::size_t longest_token_ = 0;       // in bytes
};

}  // namespace

std::unique_ptr<TokenModel> make_word_piece(const Place& place) {
  return std::make_unique<WordPiece>(place);
}

}  // namespace intaglio
