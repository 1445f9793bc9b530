#include "calibration/data/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <string_view>

#include "calibration/data/jpeg_pixels.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

namespace intaglio {
namespace {

// stb_image returns success for some damaged files with parts of the picture never written: zeroed
// memory makes the result the same in every run. The limit holds for what a hostile PNG inflates
// to.
constexpr std::size_t max_allocation = std::size_t{1} << 30;

void* stb_allocate(std::size_t bytes) {
  return bytes <= max_allocation ? std::calloc(bytes, 1) : nullptr;
}

void* stb_reallocate(void* old, std::size_t old_bytes, std::size_t bytes) {
  void* fresh = bytes <= max_allocation ? std::realloc(old, bytes) : nullptr;
  if (fresh != nullptr && bytes > old_bytes)
    std::memset(static_cast<char*>(fresh) + old_bytes, 0, bytes - old_bytes);
  return fresh;
}

void stb_require(bool condition) {
  if (!condition) throw Error(Code::data, "the image decoder met inconsistent data");
}

}  // namespace
}  // namespace intaglio

#define STBI_MALLOC(bytes) intaglio::stb_allocate(bytes)
#define STBI_REALLOC_SIZED(old, old_bytes, bytes) intaglio::stb_reallocate(old, old_bytes, bytes)
#define STBI_FREE(bytes) std::free(bytes)
#define STBI_ASSERT(condition) intaglio::stb_require(condition)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_FAILURE_USERMSG
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace intaglio {
namespace {

Error bad_image(std::string_view reason) {
  return Error(Code::data, std::string(reason), "Replace the file, or take it out of the data.");
}

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// Whether all tables of a DHT segment (annex B.2.4.2) are whole. stb_image writes past the end of
// its own when one has more than 256 codes.
bool good_huffman_tables(std::span<const std::uint8_t> segment) {
  while (!segment.empty()) {
    if (segment.size() < 17) return false;
    const auto counts = segment.subspan(1, 16);
    const std::size_t codes = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    if (codes > 256 || codes > segment.size() - 17) return false;
    segment = segment.subspan(17 + codes);
  }
  return true;
}

// Each scan goes over the whole picture, and a few bytes make one. Pictures have ten or so.
constexpr std::int64_t max_scanned_pixels = std::int64_t{1} << 32;

// The pixels that the header of a frame (annex B.2.2) states.
std::int64_t pixels_of(std::span<const std::uint8_t> frame) {
  if (frame.size() < 5) return 0;
  return std::int64_t{frame[1] << 8 | frame[2]} * (frame[3] << 8 | frame[4]);
}

// Walks the segments of a JPEG (ITU-T T.81, annex B) to its end marker. stb_image shows what there
// is of a truncated file, and takes four components without an Adobe marker for YCbCr and alpha.
void check_jpeg(std::span<const std::uint8_t> bytes) {
  const auto truncated = [] { return bad_image("truncated JPEG"); };
  bool adobe = false;
  std::int64_t pixels = 0, scanned = 0;
  for (std::size_t at = 2; at + 1 < bytes.size();) {
    // Between segments there are fill bytes, inside a scan stuffed zeros and restart markers.
    const int marker = bytes[at] == 0xff ? bytes[at + 1] : 0;
    const bool stuffing = marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd8);
    if (stuffing || marker == 0xff) {
      at += marker == 0 || marker == 0xff ? 1 : 2;
      continue;
    }
    if (marker == 0xd9) return;
    if (at + 4 > bytes.size()) throw truncated();
    const std::size_t length = std::size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    if (length < 2 || length > bytes.size() - at - 2) throw truncated();
    const auto segment = bytes.subspan(at + 4, length - 2);
    if (marker == 0xc4 && !good_huffman_tables(segment)) throw bad_image("damaged JPEG");
    adobe = adobe || (marker == 0xee && starts_with(segment, "Adobe"));
    const bool frame =
        (marker & 0xf0) == 0xc0 && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame && segment.size() > 5 && segment[5] == 4 && !adobe)
      throw bad_image("JPEG with four components of unknown meaning");
    if (frame) pixels = std::max(pixels, pixels_of(segment));
    if (marker == 0xda && (scanned += pixels) > max_scanned_pixels)
      throw bad_image("JPEG of too many scans");
    at += 2 + length;
  }
  throw truncated();
}

// stb_image reads black beyond the end of a BMP.
void check_bmp(std::span<const std::uint8_t> bytes) {
  const auto u32 = [&](std::size_t at) -> std::uint64_t {
    if (at + 4 > bytes.size()) throw bad_image("truncated BMP");
    return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
           std::uint64_t{bytes[at + 3]} << 24;
  };
  const bool old = u32(14) == 12;  // OS/2: 16-bit sides
  const std::uint64_t width = old ? u32(18) & 0xffff : u32(18);
  const auto signed_height = static_cast<std::int32_t>(old ? u32(18) >> 16 : u32(22));
  const std::uint64_t height = std::abs(std::int64_t{signed_height});
  const std::uint64_t depth = (old ? u32(22) : u32(26)) >> 16;
  const std::uint64_t row = (width * depth + 31) / 32 * 4;
  if (row > 0 && height > bytes.size() / row) throw bad_image("truncated BMP");
  if (u32(10) + row * height > bytes.size()) throw bad_image("truncated BMP");
}

// Walks the chunks of a PNG to its last one: stb_image's reasons for truncated files mislead.
void check_png(std::span<const std::uint8_t> bytes) {
  for (std::size_t at = 8; at + 8 <= bytes.size();) {
    if (starts_with(bytes.subspan(at + 4), "IEND")) return;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | bytes[at + i];
    at += 12 + length;  // and the length itself, type and checksum
  }
  throw bad_image("truncated PNG");
}

// A JPEG through stb_image's reader of segments and entropy codes, and our own arithmetic from
// there on: stb_image's is close to that of the common JPEG library, but not the same.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::uint8_t> bytes)
      : jpeg_(static_cast<stbi__jpeg*>(std::calloc(1, sizeof(stbi__jpeg))), &std::free) {
    if (jpeg_ == nullptr) throw std::bad_alloc();
    stbi__start_mem(&context_, bytes.data(), static_cast<int>(bytes.size()));
    context_.img_n = 0;  // stbi__cleanup_jpeg() may come before there are components
    jpeg_->s = &context_;
    stbi__setup_jpeg(jpeg_.get());
    jpeg_->idct_block_kernel = [](stbi_uc* out, int stride, short* block) {
      inverse_dct(out, stride, block);
    };
  }
  ~JpegReader() { stbi__cleanup_jpeg(jpeg_.get()); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // RGB; nothing when the file is damaged, or holds CMYK, which stb_image converts.
  std::vector<std::uint8_t> read() {
    if (stbi__decode_jpeg_image(jpeg_.get()) == 0 || context_.img_n == 4) return {};
    const bool gray = context_.img_n < 3;
    const bool rgb = jpeg_->rgb == 3 || (jpeg_->app14_color_transform == 0 && jpeg_->jfif == 0);
    const std::array planes = {plane(0), plane(gray ? 0 : 1), plane(gray ? 0 : 2)};
    return jpeg_rgb(planes, static_cast<int>(context_.img_x), static_cast<int>(context_.img_y),
                    gray || rgb ? JpegColor::rgb : JpegColor::ycc);
  }

 private:
  JpegPlane plane(int i) const {
    const auto& c = jpeg_->img_comp[i];
    return {c.data, c.w2, c.x, c.y, jpeg_->img_h_max / c.h, jpeg_->img_v_max / c.v};
  }

  stbi__context context_{};
  std::unique_ptr<stbi__jpeg, decltype(&std::free)> jpeg_;
};

void check_complete(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw bad_image("the file is empty");
  if (starts_with(bytes, "\xff\xd8\xff")) return check_jpeg(bytes);
  if (starts_with(bytes, "BM")) return check_bmp(bytes);
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n")) return check_png(bytes);
  throw bad_image("not a JPEG, PNG or BMP image");
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw bad_image("larger than 2 GB");
  check_complete({data, bytes.size()});
  const int size = static_cast<int>(bytes.size());
  Image image;
  int channels = 0;
  if (stbi_info_from_memory(data, size, &image.width, &image.height, &channels) == 0)
    throw bad_image("damaged header, or absurd dimensions");
  if (image.width < 1 || image.height < 1 ||
      std::int64_t{image.width} * image.height > max_image_pixels)
    throw bad_image(fmt::format("{}x{} pixels: more than {} million, or none", image.width,
                                image.height, max_image_pixels / 1'000'000));
  if (starts_with({data, bytes.size()}, "\xff\xd8\xff"))
    image.pixels = JpegReader({data, bytes.size()}).read();
  if (!image.pixels.empty()) return image;
  const std::unique_ptr<stbi_uc, decltype(&std::free)> pixels(
      stbi_load_from_memory(data, size, &image.width, &image.height, &channels, 3), &std::free);
  if (pixels == nullptr) {  // its probe for PNG comes first and leaves a reason of its own
    const std::string_view reason = stbi_failure_reason();
    throw bad_image(reason == "Not a PNG" ? "damaged JPEG" : reason);
  }
  image.pixels.assign(pixels.get(), pixels.get() + std::size_t{3} *
                                                       static_cast<std::size_t>(image.width) *
                                                       static_cast<std::size_t>(image.height));
  return image;
}

Image read_image(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);  // not mapped: a file that is cut costs one sample
  return decode_image(std::as_bytes(std::span(bytes)));
}

Image to_gray(const Image& image) {
  Image gray{image.width, image.height, 1, {}};
  gray.pixels.resize(image.pixels.size() / 3);
  for (std::size_t i = 0; i < gray.pixels.size();
       ++i) {  // 0.299, 0.587, 0.114 in 16-bit fixed point
    const std::uint8_t* rgb = &image.pixels[3 * i];
    gray.pixels[i] =
        static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
  }
  return gray;
}

bool inflate(std::span<const std::byte> in, std::span<std::byte> out) {
  constexpr std::size_t limit = std::numeric_limits<int>::max();
  if (in.size() > limit || out.size() > limit) return false;
  const int written = stbi_zlib_decode_noheader_buffer(
      reinterpret_cast<char*>(out.data()), static_cast<int>(out.size()),
      reinterpret_cast<const char*>(in.data()), static_cast<int>(in.size()));
  return written >= 0 && static_cast<std::size_t>(written) == out.size();
}

}  // namespace intaglio
