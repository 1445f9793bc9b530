#include "tests/calibration/data/make_images.h"

#include "lib/base/file.h"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace intaglio::testing {

Image pattern(int width, int height, int channels) {
  Image image{width, height, channels, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        image.pixels.push_back(
            static_cast<std::uint8_t>(7 * x * x + 13 * y * y + 3 * x * y + 50 * c));
  return image;
}

namespace {
void make_folder(const std::filesystem::path& path) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
}
}  // namespace

void save_png(const std::filesystem::path& path, const Image& image) {
  make_folder(path);
  stbi_write_png(path.c_str(), image.width, image.height, image.channels, image.pixels.data(), 0);
}

void save_jpeg(const std::filesystem::path& path, const Image& image) {
  make_folder(path);
  stbi_write_jpg(path.c_str(), image.width, image.height, image.channels, image.pixels.data(), 95);
}

void save_bmp(const std::filesystem::path& path, const Image& image) {
  make_folder(path);
  stbi_write_bmp(path.c_str(), image.width, image.height, image.channels, image.pixels.data());
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  make_folder(path);
  write_file(path, bytes);
}

}  // namespace intaglio::testing
