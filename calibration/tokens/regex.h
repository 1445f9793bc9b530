// Regular expressions over UTF-8, with the classes of Unicode, as tokenizer.json holds them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

// Bytes first..last of a text, last excluded.
struct Span {
  std::size_t first = 0, last = 0;
  bool operator==(const Span&) const = default;
};

class Regex {
 public:
  // Throws Code::unsupported, with the pattern and the place in it, for what ICU does not compile.
  explicit Regex(std::string pattern);
  ~Regex();
  Regex(Regex&&) noexcept;

  // All matches that are not empty, from the left. May be called from many threads. Throws
  // Code::data when matching takes more steps or memory than any text is worth.
  std::vector<Span> matches(std::string_view text) const;

 private:
  struct Compiled;
  std::string pattern_;
  std::unique_ptr<Compiled> compiled_;
};

// A pattern that matches the text itself.
std::string quoted_pattern(std::string_view text);

}  // namespace intaglio
