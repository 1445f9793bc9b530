// Text becomes token ids, as the `tokenizers` library does it from the same tokenizer.json.
//
// Read are byte pair encoding and WordPiece with the steps that normalizer.h, pre_tokenizer.h and
// template.h name. Anything else is refused by name: a token that is another than the model was
// trained with spoils every figure, and nobody would see why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

class Tokenizer {
 public:
  // Throws Code::io for a file that cannot be read, Code::config, with the place, for one that is
  // no tokenizer, Code::unsupported for one of a kind that is not read.
  static Tokenizer read(const std::filesystem::path& file);
  static Tokenizer parse(std::string_view json, const std::string& origin);
  Tokenizer(Tokenizer&&) noexcept;
  ~Tokenizer();

  std::string_view kind() const;  // "BPE", "WordPiece"
  std::size_t size() const;       // of the vocabulary, with what was added to it
  const std::string& sha256() const;

  // Whether tokens stand behind a text, too: then a text is a whole, as encoders take it, not a
  // part of a longer one.
  bool encloses() const;
  std::optional<std::int64_t> padding() const;  // the token for places that hold none

  // The tokens of a text, with those that the template puts around it unless that is switched off.
  // With `most` no more than those, the template's included: the text is cut, not the template. An
  // empty text has no tokens but those. Lengths and paddings of the file do not count. Throws
  // Code::data, with the reason alone, for text that is not UTF-8. May be called from many threads.
  std::vector<std::int64_t> encode(std::string_view text, bool around = true,
                                   std::optional<std::size_t> most = std::nullopt) const;

 private:
  struct Parts;
  explicit Tokenizer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace intaglio
