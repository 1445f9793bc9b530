#include "lib/tflite/op_versions.h"

#include <algorithm>
#include <array>

namespace intaglio::tflite {
namespace {

struct Version {
  fb::Op op;
  int floats, codes;
};

// What is not here has version 1 for both.
constexpr std::array versions = {
    Version{fb::Op::ADD, 1, 2},
    Version{fb::Op::AVERAGE_POOL_2D, 1, 2},
    Version{fb::Op::BATCH_MATMUL, 1, 2},
    Version{fb::Op::BROADCAST_TO, 2, 2},
    Version{fb::Op::CONCATENATION, 1, 2},
    Version{fb::Op::CONV_2D, 1, 3},
    Version{fb::Op::DEPTHWISE_CONV_2D, 1, 3},
    Version{fb::Op::DEQUANTIZE, 1, 2},
    Version{fb::Op::FULLY_CONNECTED, 1, 4},
    Version{fb::Op::GATHER, 1, 2},
    Version{fb::Op::LEAKY_RELU, 1, 2},
    Version{fb::Op::LOGISTIC, 1, 2},
    Version{fb::Op::MAXIMUM, 1, 2},
    Version{fb::Op::MAX_POOL_2D, 1, 2},
    Version{fb::Op::MEAN, 1, 2},
    Version{fb::Op::MINIMUM, 1, 2},
    Version{fb::Op::MIRROR_PAD, 1, 2},
    Version{fb::Op::MUL, 1, 2},
    Version{fb::Op::PAD, 1, 2},
    Version{fb::Op::PADV2, 1, 2},
    Version{fb::Op::QUANTIZE, 1, 2},
    Version{fb::Op::REDUCE_MAX, 1, 2},
    Version{fb::Op::REDUCE_MIN, 1, 2},
    Version{fb::Op::RELU, 1, 2},
    Version{fb::Op::RELU6, 1, 2},
    Version{fb::Op::RESIZE_BILINEAR, 1, 2},
    Version{fb::Op::RESIZE_NEAREST_NEIGHBOR, 1, 2},
    Version{fb::Op::SOFTMAX, 1, 2},
    Version{fb::Op::SPACE_TO_DEPTH, 1, 2},
    Version{fb::Op::SPLIT, 1, 2},
    Version{fb::Op::SPLIT_V, 1, 2},
    Version{fb::Op::STRIDED_SLICE, 1, 2},
    Version{fb::Op::SUB, 1, 2},
    Version{fb::Op::SUM, 1, 2},
    Version{fb::Op::TANH, 1, 2},
    Version{fb::Op::TRANSPOSE, 1, 2},
    Version{fb::Op::TRANSPOSE_CONV, 3, 3},  // with a bias
};

// Options that came later; 0: none of them.
int of_options(const fb::OptionsUnion& options) {
  if (const auto* o = options.AsFullyConnectedOptions()) return o->keep_num_dims ? 5 : 0;
  if (const auto* o = options.AsDepthwiseConv2DOptions())
    return o->dilation_h != 1 || o->dilation_w != 1 ? 2 : 0;
  if (const auto* o = options.AsResizeBilinearOptions()) return o->half_pixel_centers ? 3 : 0;
  if (const auto* o = options.AsResizeNearestNeighborOptions())
    return o->half_pixel_centers || o->align_corners ? 3 : 0;
  return 0;
}

}  // namespace

int version_of(fb::Op op, bool codes, const fb::OptionsUnion& options) {
  const auto row = std::ranges::find(versions, op, &Version::op);
  const int base = row == versions.end() ? 1 : codes ? row->codes : row->floats;
  return std::max(base, of_options(options));
}

}  // namespace intaglio::tflite
