// The page of preview, under the same rules as page.h.
#pragma once

#include <string>

#include "apps/pipeline/preview.h"

namespace intaglio::html {

std::string preview_page(const PreviewResult& result);

}  // namespace intaglio::html
