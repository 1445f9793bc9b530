// Pictures to look at: what a network sees, and what it makes.
#pragma once

#include <optional>
#include <string>

#include "calibration/data/image.h"
#include "calibration/data/recipe.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// The file that a sample was made from, by the sample's name (Dataset::name); nullopt where it is no
// image, or cannot be read.
std::optional<Image> picture_file(const std::string& sample);

// What the recipe made of an image, as an image again, in RGB or grey: what the network sees. feed:
// of one image, in the recipe's layout, which is settled.
Image picture_of_feed(const Tensor& feed, const PreprocessRecipe& recipe);

// Values [1,C,H,W] or [1,H,W,C] of one or three channels, `lo` black and `hi` white; nullopt for
// other shapes. Values that are not finite are black.
std::optional<Image> picture_of_values(const Tensor& values, double lo, double hi);

// No side longer than `longest`.
Image thumbnail(const Image& image, int longest);

// As a JPEG file; the same bytes for the same picture.
std::string to_jpeg(const Image& image);

}  // namespace intaglio
