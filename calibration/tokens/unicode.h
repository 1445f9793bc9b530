// Unicode, as tokenizers ask for it. ICU stands behind this door and regex.h; texts are UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace intaglio::unicode {

// The offset of the first byte that is no UTF-8; nullopt: all of it is.
std::optional<std::size_t> first_fault(std::string_view text);

// text must be UTF-8, characters must be code points.
std::u32string characters(std::string_view text);
void append(std::string& text, char32_t character);
std::string text_of(std::u32string_view characters);

// By the general category: letters are L*, marks M*, numbers N*, punctuation P*, others C*.
bool is_mark(char32_t c);
bool is_nonspacing_mark(char32_t c);  // Mn
bool is_number(char32_t c);
bool is_punctuation(char32_t c);
bool is_other(char32_t c);  // controls, formats, private use; not what is unassigned
bool is_word(char32_t c);   // letters, marks, numbers, joining punctuation
bool is_space(char32_t c);  // the property White_Space

// Each character for itself, whatever stands beside it.
std::string lowercase(std::string_view text);

enum class Form { nfc, nfd, nfkc, nfkd };
std::string normalized(std::string_view text, Form form);

}  // namespace intaglio::unicode
