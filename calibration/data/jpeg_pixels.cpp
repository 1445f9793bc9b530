#include "calibration/data/jpeg_pixels.h"

#include <algorithm>
#include <cstddef>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

constexpr int fraction_bits = 13;  // of the cosines
constexpr int extra_bits = 2;      // that the first pass keeps

typedef std::uint32_t Lines __attribute__((vector_size(32)));  // one value of each of eight lines
typedef std::int32_t SignedLines __attribute__((vector_size(32)));

// One-dimensional inverse DCT of eight lines at once; every result is rounded by `shift` bits. Sums
// wrap: only coefficients that no encoder makes are so large.
template <int shift>
[[gnu::always_inline]] inline void inverse_dct_lines(const Lines (&x)[8], Lines (&out)[8]) {
  // The even coefficients: rotations by 0 and 3 pi / 8.
  const Lines turned = (x[2] + x[6]) * 4433;
  const Lines sum = (x[0] + x[4]) << fraction_bits;
  const Lines difference = (x[0] - x[4]) << fraction_bits;
  const Lines high = turned + x[2] * 6270, low = turned - x[6] * 15137;
  const Lines even[4] = {sum + high, difference + low, difference - low, sum - high};
  // The odd ones.
  const Lines both = (x[7] + x[3] + x[5] + x[1]) * 9633;
  const Lines a = -((x[7] + x[1]) * 7373), b = -((x[5] + x[3]) * 20995);
  const Lines c = both - (x[7] + x[3]) * 16069, d = both - (x[5] + x[1]) * 3196;
  const Lines odd[4] = {x[1] * 12299 + a + d, x[3] * 25172 + b + c, x[5] * 16819 + b + d,
                        x[7] * 2446 + a + c};
  constexpr std::uint32_t half = 1 << (shift - 1);
  const auto rounded = [](Lines v) {
    return reinterpret_cast<Lines>(reinterpret_cast<SignedLines>(v + half) >> shift);
  };
  for (int i = 0; i < 4; ++i) {
    out[i] = rounded(even[i] + odd[i]);
    out[7 - i] = rounded(even[i] - odd[i]);
  }
}

[[gnu::always_inline]] inline void transpose(const Lines (&in)[8], Lines (&out)[8]) {
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 8; ++k) out[i][k] = in[k][i];
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
[[gnu::always_inline]] inline void double_width(const At& at, int count, std::uint8_t* out) {
  constexpr int shift = scale == 4 ? 4 : 2;
  const auto mix = [](int here, int other, int bias) {
    return static_cast<std::uint8_t>((3 * here + other + bias) >> shift);
  };
  out[0] = mix(at(0), at(0), bias_before);
#pragma GCC ivdep  // the line is nobody's input
  for (int i = 0; i < count - 1; ++i) {
    out[2 * i + 1] = mix(at(i), at(i + 1), bias_after);
    out[2 * i + 2] = mix(at(i + 1), at(i), bias_before);
  }
  out[2 * count - 1] = mix(at(count - 1), at(count - 1), bias_after);
}

// Row y of the plane at full width. `line` holds width + across - 1 values at least.
INTAGLIO_CLONES
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
  } else if (plane.across == 1) {
    std::copy_n(near, width, line);
  } else {
    for (int x = 0; x < width; ++x) line[x] = near[x / plane.across];
  }
}

// JFIF 1.02: the factors 1.402, 0.34414, 0.71414 and 1.772 in 16-bit fixed point.
INTAGLIO_CLONES
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

INTAGLIO_CLONES
void inverse_dct(std::uint8_t* out, int stride, const std::int16_t* coefficients) {
  Lines rows[8], columns[8];
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x)
      rows[y][x] = static_cast<std::uint32_t>(std::int32_t{coefficients[8 * y + x]});
  inverse_dct_lines<fraction_bits - extra_bits>(rows, columns);
  transpose(columns, rows);
  inverse_dct_lines<fraction_bits + extra_bits + 3>(rows, columns);
  transpose(columns, rows);
  for (int y = 0; y < 8; ++y, out += stride)
    for (int x = 0; x < 8; ++x) out[x] = clamped(static_cast<std::int32_t>(rows[y][x]) + 128);
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
