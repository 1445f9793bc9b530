// Decoding image files: JPEG, PNG and BMP to 8-bit RGB.
//
// What comes out is what PIL's Image.open(file).convert("RGB") gives, to the last bit but for CMYK:
// grey is replicated, palettes are looked up, alpha is dropped (not blended), CMYK becomes RGB,
// EXIF orientation is ignored. 16-bit samples keep their high byte. All functions are pure and may
// run on many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace intaglio {

struct Image {
  int width = 0, height = 0;
  int channels = 3;                  // 3: RGB, 1: grey
  std::vector<std::uint8_t> pixels;  // rows from the top, channels interleaved
};

// Images with more pixels are refused before anything is decoded.
constexpr std::int64_t max_image_pixels = 64'000'000;

// Throws Code::data with the reason alone ("truncated JPEG") for anything but a complete image.
Image decode_image(std::span<const std::byte> bytes);

// The same from a file; Code::io when it cannot be read.
Image read_image(const std::filesystem::path& path);

// Luma after ITU-R 601-2, rounded as PIL's convert("L") does.
Image to_gray(const Image& image);

// Raw deflate (RFC 1951), which comes with the PNG reader: true if `in` decodes to exactly
// out.size() bytes. Both must be shorter than 2 GB.
bool inflate(std::span<const std::byte> in, std::span<std::byte> out);

}  // namespace intaglio
