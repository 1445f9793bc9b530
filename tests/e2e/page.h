// Pages of the demo, and what tests ask about them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace intaglio::testing {

std::string demo();  // the demo's model

// The page that a command draws of a model with the demo's inputs, its additions left float. It
// lies in the fresh folder of the test.
std::filesystem::path page_of(const std::string& command, const std::string& model);

// How often a part occurs.
std::size_t occurrences(const std::string& text, std::string_view part);

// Where elements are not closed in the order in which they were opened, or where a "<" begins no
// tag; empty when the page is sound. Stricter than HTML: only <meta>, <br> and <!DOCTYPE> have no
// end, and an element without content may end in "/>". What <style> and <script> hold is passed
// over.
std::string first_fault(const std::string& page);

}  // namespace intaglio::testing
