#include "calibration/jpeg_pixels.h"

#include <algorithm>
#include <cstddef>

namespace intaglio {
namespace {

constexpr int fraction_bits = 13;  // of the cosines
constexpr int extra_bits = 2;      // that the first pass keeps

// One-dimensional inverse DCT of in[0], in[step], ...; every result is rounded by `shift` bits.
// Sums wrap: only coefficients that no encoder makes are so large.
template <int shift>
void inverse_dct_line(const std::int32_t* in, int step, std::int32_t* out, int out_step) {
  using Sum = std::uint32_t;
  const auto x = [&](int i) { return static_cast<Sum>(in[i * step]); };
  // The even coefficients: rotations by 0 and 3 pi / 8.
  const Sum turned = (x(2) + x(6)) * 4433;
  const Sum sum = (x(0) + x(4)) * (Sum{1} << fraction_bits);
  const Sum difference = (x(0) - x(4)) * (Sum{1} << fraction_bits);
  const Sum high = turned + x(2) * 6270, low = turned - x(6) * 15137;
  const Sum even[4] = {sum + high, difference + low, difference - low, sum - high};
  // The odd ones.
  const Sum both = (x(7) + x(3) + x(5) + x(1)) * 9633;
  const Sum a = (x(7) + x(1)) * static_cast<Sum>(-7373),
            b = (x(5) + x(3)) * static_cast<Sum>(-20995);
  const Sum c = (x(7) + x(3)) * static_cast<Sum>(-16069) + both,
            d = (x(5) + x(1)) * static_cast<Sum>(-3196) + both;
  const Sum odd[4] = {x(1) * 12299 + a + d, x(3) * 25172 + b + c, x(5) * 16819 + b + d,
                      x(7) * 2446 + a + c};
  constexpr Sum half = 1 << (shift - 1);
  for (int i = 0; i < 4; ++i) {
    out[i * out_step] = static_cast<std::int32_t>(even[i] + odd[i] + half) >> shift;
    out[(7 - i) * out_step] = static_cast<std::int32_t>(even[i] - odd[i] + half) >> shift;
  }
}

std::uint8_t clamped(std::int32_t v) { return static_cast<std::uint8_t>(std::clamp(v, 0, 255)); }

// The two rows of samples that a row of pixels lies between, and how they are mixed.
struct RowPair {
  const std::uint8_t *near, *far;
  bool upper;  // the pixel row is the upper one of the near samples
};

RowPair rows_of(const JpegPlane& plane, int y) {
  const int row = std::min(y / plane.down, plane.height - 1);
  const bool upper = y % 2 == 0;
  const int other = std::clamp(upper ? row - 1 : row + 1, 0, plane.height - 1);
  return {plane.samples + std::ptrdiff_t{row} * plane.stride,
          plane.samples + std::ptrdiff_t{other} * plane.stride, upper};
}

// out[2i] and out[2i + 1] lie a quarter of a sample before and after sample i. `at` gives samples
// times `scale`; the roundings alternate, so that no direction is favoured.
template <int scale, int bias_before, int bias_after, typename At>
void double_width(const At& at, int count, std::uint8_t* out) {
  constexpr int shift = scale == 4 ? 4 : 2;
  for (int i = 0; i < count; ++i) {
    const int here = at(i);
    const int before = i == 0 ? here : at(i - 1), after = i == count - 1 ? here : at(i + 1);
    out[2 * i] = static_cast<std::uint8_t>((3 * here + before + bias_before) >> shift);
    out[2 * i + 1] = static_cast<std::uint8_t>((3 * here + after + bias_after) >> shift);
  }
}

// Row y of the plane at full width. `line` holds width + across - 1 values at least.
void upsample_row(const JpegPlane& plane, int y, int width, std::uint8_t* line) {
  const auto [near, far, upper] = rows_of(plane, y);
  const bool wide = plane.across == 2 && plane.width > 2;
  if (wide && plane.down == 1) {
    double_width<1, 1, 2>([p = near](int i) -> int { return p[i]; }, plane.width, line);
  } else if (wide && plane.down == 2) {
    double_width<4, 8, 7>([p = near, q = far](int i) { return 3 * p[i] + q[i]; }, plane.width,
                          line);
  } else if (plane.across == 1 && plane.down == 2) {
    for (int x = 0; x < width; ++x)
      line[x] = static_cast<std::uint8_t>((3 * near[x] + far[x] + (upper ? 1 : 2)) >> 2);
  } else {
    for (int x = 0; x < width; ++x) line[x] = near[x / plane.across];
  }
}

// JFIF 1.02: the factors 1.402, 0.34414, 0.71414 and 1.772 in 16-bit fixed point.
void convert_row(const std::uint8_t* luma, const std::uint8_t* blue, const std::uint8_t* red,
                 int width, std::uint8_t* rgb) {
  constexpr int half = 1 << 15;
  for (int x = 0; x < width; ++x, rgb += 3) {
    const int y = luma[x], cb = blue[x] - 128, cr = red[x] - 128;
    rgb[0] = clamped(y + ((91881 * cr + half) >> 16));
    rgb[1] = clamped(y + ((-22554 * cb - 46802 * cr + half) >> 16));
    rgb[2] = clamped(y + ((116130 * cb + half) >> 16));
  }
}

}  // namespace

void inverse_dct(std::uint8_t* out, int stride, const std::int16_t* coefficients) {
  std::int32_t block[64], columns[64];
  std::copy_n(coefficients, 64, block);
  for (int x = 0; x < 8; ++x)
    inverse_dct_line<fraction_bits - extra_bits>(block + x, 8, columns + x, 8);
  for (int y = 0; y < 8; ++y, out += stride) {
    std::int32_t row[8];
    inverse_dct_line<fraction_bits + extra_bits + 3>(columns + 8 * y, 1, row, 1);
    for (int x = 0; x < 8; ++x) out[x] = clamped(row[x] + 128);
  }
}

std::vector<std::uint8_t> jpeg_rgb(const std::array<JpegPlane, 3>& planes, int width, int height,
                                   JpegColor color) {
  std::vector<std::uint8_t> rgb(std::size_t{3} * static_cast<std::size_t>(width) *
                                static_cast<std::size_t>(height));
  std::array<std::vector<std::uint8_t>, 3> lines;
  for (auto& line : lines) line.resize(static_cast<std::size_t>(width) + 8);
  for (int y = 0; y < height; ++y) {
    for (std::size_t c = 0; c < 3; ++c) upsample_row(planes[c], y, width, lines[c].data());
    std::uint8_t* row = rgb.data() + std::ptrdiff_t{3} * width * y;
    if (color == JpegColor::ycc) {
      convert_row(lines[0].data(), lines[1].data(), lines[2].data(), width, row);
    } else {
      for (int x = 0; x < width; ++x)
        for (std::size_t c = 0; c < 3; ++c) *row++ = lines[c][static_cast<std::size_t>(x)];
    }
  }
  return rgb;
}

}  // namespace intaglio
