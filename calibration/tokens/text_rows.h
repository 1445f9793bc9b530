// Texts as rows of token ids, one row a sample.
//
// A tokenizer that only begins a text (decoders) makes windows: the whole file is tokenized and cut
// into rows of the same length, one after the other; what is left over at the end is dropped and
// counted. One that also ends a text, or WordPiece (encoders), takes a line at a time, cut off at
// the length; empty lines are passed over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "calibration/tokens/tokenizer.h"
#include "lib/base/json.h"

namespace intaglio {

// A tokenizer that is read when it is first wanted, from then on the same for all.
class SharedTokenizer {
 public:
  // Throws what Tokenizer::read() throws; then the next call tries again.
  const Tokenizer& read(const std::filesystem::path& path);

 private:
  std::once_flag once_;
  std::optional<Tokenizer> tokenizer_;
};

struct TextSpec {
  std::string tokenizer;              // a tokenizer.json; empty: texts are not read
  std::optional<std::size_t> length;  // of a row; default: that of the input, or default_length
  // Copies share it: a command opens its data several times.
  std::shared_ptr<SharedTokenizer> shared = std::make_shared<SharedTokenizer>();
};

inline constexpr std::size_t default_length = 256;

struct TextRows {
  std::vector<std::vector<std::int64_t>> rows;
  std::size_t left_over = 0;  // tokens
};

class TextReader {
 public:
  // takes: the length that the model's input is fixed to. Throws what Tokenizer::read() throws, and
  // Code::usage for a length of 0, or another than the model takes.
  TextReader(const TextSpec& spec, std::optional<std::size_t> takes);

  // Throws Code::io for a file that cannot be read, Code::data, with its name, for text that is
  // empty, shorter than a row, or not UTF-8, and for lines that are to be filled up without a token
  // for that.
  TextRows read(const std::filesystem::path& file) const;

  bool by_line() const { return by_line_; }
  // The token that short lines are filled up with; nullopt: they stay short.
  std::optional<std::int64_t> padding() const;

  Json to_json()
      const;  // "tokenizer", "kind", "vocabulary", "sha256", "by_line", "sequence_length"

 private:
  TextRows windows(std::string_view text) const;
  TextRows lines(std::string_view text) const;

  std::filesystem::path path_;
  std::shared_ptr<const Tokenizer> tokenizer_;  // copies of the reader share it
  std::optional<std::size_t> takes_;
  std::size_t length_;
  bool by_line_;
};

}  // namespace intaglio
