// What the integer kernels of a runtime compute otherwise than the operator says, or more slowly
// than its float ones, so that a draft leaves it float. Measured on onnxruntime 1.31.1
// (docs/kernels.md).
#pragma once

#include <optional>
#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/target.h"

namespace intaglio {

// Why the engine's kernel on codes does not do what the node says; nullopt: it does.
//   AveragePool, onnxruntime: an attribute `dilations` other than ones (its kernel on codes has
//   none, and the model does not load); ceil_mode with count_include_pad where the last window
//   reaches beyond the padding (it divides by another count). Shapes that are not known count as
//   such.
//   Conv and pools behind a cubic Resize that may shrink images, behind another one, onnxruntime:
//   its layout optimizer moves the Transpose behind an integer Conv through the Resize to the
//   next one, and Resize fails on channels that come last ("'Cubic' mode only supports...").
std::optional<std::string> kernel_fault(const Node& node, Engine engine);

// Why the engine's kernel on codes takes longer than its float one, whatever stands around the
// node; nullopt: it does not.
//   Conv, onnxruntime on x86: depthwise (one channel in and out per group) of fewer than 16 groups,
//   1 included, takes 2.3 to 10 times the float kernel's time on codes, whatever the filter's size.
std::optional<std::string> slow_kernel(const Node& node, Engine engine);

}  // namespace intaglio
