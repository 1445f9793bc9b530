// An int8 network of ncnn: the float one with codes and scales in the place of weights, as ncnn2int8
// writes it, and with what refinement made of biases and of layers that stay float.
//
//   Convolution, InnerProduct   8=2     weights int8, bias, a scale for each output, one of the input
//   ConvolutionDepthWise        8=1     the same with a scale for each group
//   a result that only convolutions in integers read: 100 more, and its scale behind the others
//
// (ncnn, tools/quantize/ncnn2int8.cpp, tools/modelwriter.h, src/layer/convolution.cpp.)
#pragma once

#include <string>

#include "lib/ncnn/decide.h"

namespace intaglio {

struct NcnnFiles {
  std::string param, bin;  // their contents
};

// plan: with the numbers of the result that the decision is about.
NcnnFiles ncnn_files(const NcnnNetwork& network, const NcnnDecision& decision, const Plan& plan);

}  // namespace intaglio
