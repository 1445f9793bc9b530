// The geometry of ConvTranspose (opset 1, 11, 22), shared by its kernels.
#pragma once

#include "lib/exec/window.h"

namespace intaglio {

struct ConvTransposeAttrs {
  WindowAttrs window;
  Shape output_padding, output_shape;
  std::int64_t group;
};
ConvTransposeAttrs read_conv_transpose(const Node& node);

// The window that reads the output of this operator where its input is written: input and output of
// the window are exchanged. x: [N, C, spatial...]; filters: [C, M / group, kernel...]. Throws
// Code::model when they do not fit.
Window place_transposed(const ConvTransposeAttrs& attrs, const Shape& x, const Shape& filters);

}  // namespace intaglio
