// From the coefficients of a JPEG to its pixels, with the rounding of the common C library for JPEG
// (libjpeg and libjpeg-turbo, their accurate integer DCT and smooth upsampling): the pixels are the
// same to the last bit as those that PIL and OpenCV read, so a model sees the data it was trained
// on.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace intaglio {

// The samples of one component: ITU-T T.81, A.1.1.
struct JpegPlane {
  const std::uint8_t* samples = nullptr;
  int stride = 0, width = 0, height = 0;  // in samples
  int across = 1, down = 1;               // pixels that a sample stands for
};

// Inverse DCT (A.3.3) of one block of dequantized coefficients, in natural order, to 8x8 samples.
// The factorization is that of Loeffler, Ligtenberg and Moschytz (ICASSP 1989), in 13-bit fixed
// point.
void inverse_dct(std::uint8_t* out, int stride, const std::int16_t* coefficients);

enum class JpegColor { ycc, rgb };

// Interleaved RGB of width x height pixels. Planes of half the resolution are interpolated by a
// triangle filter, others repeated; YCbCr is converted as JFIF says.
std::vector<std::uint8_t> jpeg_rgb(const std::array<JpegPlane, 3>& planes, int width, int height,
                                   JpegColor color);

}  // namespace intaglio
