// The frame of a page: head, style, scripts, and the rules of what it may load (nothing).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace intaglio::html {

struct Link {
  std::string_view id, title;  // of a part of the page
};

// title is text; heading and content are HTML.
std::string document(std::string_view title, std::string_view heading,
                     const std::vector<Link>& parts, std::string_view content);

}  // namespace intaglio::html
