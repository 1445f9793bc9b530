// What the fast convolutions ask of a node, and read of it.
#pragma once

#include <span>
#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/vector/product.h"
#include "lib/exec/window.h"

namespace intaglio {

// Why filters or bias are not constant f32 values of shapes that fit each other, or the input is
// not f32. (An input of unknown type is met at run time: FusedReference.)
// `filters_axis`: along which the filters lie in their tensor (1 for ConvTranspose).
Refusal refuse_constant_conv(const Node& node, std::size_t filters_axis = 0);

// Filters of one pixel, without strides and padding.
bool is_pointwise(const WindowAttrs& attrs, const Shape& filters);

// The constant bias; empty when the node has none.
std::span<const float> bias_of(const Node& node);

// The windows or pixels of channels-last images times the filters.
Product filter_product(const Node& node, const PostOps& ops);

// What the operations add to a result of this shape, channels last. Throws Code::model when a shape
// differs.
std::vector<Tensor> channels_last_addends(const KernelContext& context, const PostOps& ops,
                                          const Shape& shape);

// How many rows of results are worth a thread of their own, by the multiplications of one.
inline std::int64_t rows_worth_splitting(std::int64_t multiplications) {
  constexpr std::int64_t of_a_part = 256 * 1024;
  return 1 + of_a_part / (multiplications + 1);
}

// Where the values of image n start in each, when an image has `size` of them.
std::vector<const float*> addends_of(const std::vector<Tensor>& addends, std::int64_t n,
                                     std::int64_t size);

}  // namespace intaglio
