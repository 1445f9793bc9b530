// Windows over images as TFLite has them: SAME or VALID and nothing else. Of n positions with stride
// s, SAME pads (n - 1) s + extent - length in all, the smaller half in front, and n is
// ceil(length / s); VALID pads nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/exec/window.h"
#include "lib/tflite/site.h"

namespace intaglio::tflite {

// Images of one row: [N,C,L] is [N,1,L,C] in front of operators of images.
struct Image {
  Shape spatial;  // height and width
  Perm perm;      // in which the value is stored: {0, 2, 3, 1}, or {0, 2, 1} of rows
  bool row = false;
};
// Refuses ranks other than 3 and 4.
Image image_of(const Site& site, std::size_t input);
// The first input as [N,H,W,C].
int image_in(Site& site, const Image& image);
// A tensor [N,H,W,C] that the operator writes, and what is done behind it.
struct ImageResult {
  int written;
  int result;  // differs for rows: to be reshaped
};
ImageResult image_out(Site& site, const Image& image, const QParams* made = nullptr);
void finish_image(Site& site, const ImageResult& result);

// The window of a Conv or pool over the image, two axes.
Window window_of(const Site& site, const Image& image, const Shape& kernel);

// Which of the two paddings is that of the window; nullopt: neither.
std::optional<fb::Padding> padding_of(const Window& window);

// The image that the operator reads, and its padding: where that of the window is neither, one that
// was padded by an operator of its own. Zeros are the zero point of codes (PAD); the lowest value is
// for maxima (PADV2).
enum class PadWith { zero, lowest };
struct Padded {
  int tensor;
  fb::Padding padding;
};
Padded padded(Site& site, int image, const Window& window, PadWith value);
// Always by an operator of its own.
Padded pad(Site& site, int image, const Window& window, PadWith value);

}  // namespace intaglio::tflite
