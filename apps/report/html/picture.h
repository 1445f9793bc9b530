// Pictures in a page: JPEG data within a drawing, so that the page stays one file, and boxes over
// them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/pipeline/shown.h"

namespace intaglio::html {

// Boxes of one model over a picture: corners in pixels of what the network is fed, or in fractions
// of it.
struct BoxLayer {
  const Detections* boxes = nullptr;
  std::string_view style;  // the class of the drawing: "box-float", "box-int8"
};

// <svg>: the picture, and the boxes over it. fed: its size where the boxes are measured; {}: that of
// the picture. name: for those who cannot see it.
std::string picture_svg(const Image& image, Size fed, std::span<const BoxLayer> layers,
                        std::string_view name);

std::string base64(std::string_view bytes);

}  // namespace intaglio::html
