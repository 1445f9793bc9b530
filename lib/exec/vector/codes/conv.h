// What the fast convolutions of 8-bit codes share.
#pragma once

#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/vector/codes/tile.h"

namespace intaglio {

// QLinearConv with constant parameters, as far as it does not depend on the image.
struct CodeConv {
  explicit CodeConv(const Node& node);

  WindowAttrs attrs;
  ConvolutionShape geometry;
  Tensor filters;                   // s8
  std::int32_t x_zero;              // of x as unsigned bytes: s8 codes are shifted by 128
  std::vector<std::int32_t> start;  // by filter: its bias, less x_zero times the sum of its weights
  std::vector<float> multipliers;   // by filter
  DType type;                       // of y
  std::int32_t y_zero;

  CodeEnding ending(const float* multipliers) const;

  // The part of the images that windows cover, channels last, as unsigned bytes, x_zero around
  // them. Copied when there is something around them, or to shift, or when `slack` asks for
  // readable bytes behind the last.
  struct Images {
    Tensor bytes;
    std::int64_t height, width;
    const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(bytes.raw()); }
  };
  Images padded_images(const Tensor& x, const Window& window, bool slack) const;
};

// Why a QLinearConv is not for them: what is not constant, weights that are not s8 around zero, not
// two spatial axes, no instructions.
Refusal refuse_code_conv(const Node& node);

// The y of a convolution: channels last.
Tensor code_result(const CodeConv& conv, const Tensor& x, const Window& window);

}  // namespace intaglio
