// Small image files for tests.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "calibration/data/image.h"

namespace intaglio::testing {

// An image whose pixels follow a fixed pattern: (7 x^2 + 13 y^2 + 3 xy + 50 c) mod 256.
Image pattern(int width, int height, int channels = 3);

// Files of an image with 1 to 4 channels; the folder is made.
void save_png(const std::filesystem::path& path, const Image& image);
void save_jpeg(const std::filesystem::path& path, const Image& image);
void save_bmp(const std::filesystem::path& path, const Image& image);

std::string from_hex(std::string_view digits);
void write_bytes(const std::filesystem::path& path, std::string_view bytes);  // makes the folder

}  // namespace intaglio::testing
