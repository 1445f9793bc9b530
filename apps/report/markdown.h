// Text for comments on pull requests and job summaries: the Markdown that GitHub and GitLab share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

using Rows = std::vector<std::vector<std::string>>;

// Text that means itself: names of a model may hold what Markdown or HTML gives a meaning. Line
// breaks become spaces.
std::string markdown(std::string_view text);

// The first row is the head; the cells are plain text. Columns after the first align right where
// they hold numbers.
std::string markdown_table(const Rows& rows);

// A part that is closed until somebody opens it; the body is Markdown.
std::string markdown_details(std::string_view title, const std::string& body);

}  // namespace intaglio
