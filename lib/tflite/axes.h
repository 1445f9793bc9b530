// The order in which the axes of a value lie in the file. TFLite wants images with the channels
// last, ONNX with the channels second; most operators care for neither.
//
// A Perm says which ONNX axis each stored axis is: {0, 2, 3, 1} holds NCHW as NHWC. It has one
// entry for each axis. A value keeps the order in which its operator makes it, and is transposed
// only in front of an operator that wants another one.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio::tflite {

using Perm = std::vector<std::size_t>;

Perm in_order(std::size_t rank);       // {0, 1, ...}
Perm channels_last(std::size_t rank);  // {0, 2, ..., 1}; of rank 2 and less: in_order()

Shape permuted(const Shape& shape, const Perm& perm);
// The elements moved, whatever their type; row-major before and after.
Tensor permuted(const Tensor& tensor, const Perm& perm);

// Where the ONNX axis is stored.
std::size_t stored_axis(const Perm& perm, std::size_t axis);

// The `perm` of the Transpose that makes `to` of `from`: axis i of the result is axis result[i].
Perm between(const Perm& from, const Perm& to);

// Whether both orders put the elements of a tensor of this shape into the same places: axes of
// length 1 aside, they are equal.
bool same_places(const Shape& shape, const Perm& a, const Perm& b);

// How a Reshape from one ONNX shape to another comes out when the bytes stay as they are stored:
// the order of the axes of the result, or nullopt when it is none. Each axis that is split or
// joined must lie together and in order; {0, 2, 3, 1} of [1,8,5,5] to [1,2,4,5,5] is
// {0, 3, 4, 1, 2}. Axes of length 1 go where they give an order that operators want: channels last
// for images, else that of ONNX.
std::optional<Perm> reshaped(const Shape& from, const Perm& stored, const Shape& to);

// The order nearest to the stored one for which there is such a result: axes that are joined stand
// together where the first of them stood. Of [1,2,4,5,5] in {0, 3, 4, 2, 1} to [1,8,5,5] it is
// {0, 3, 4, 1, 2}.
Perm reshapable(const Shape& from, const Perm& stored, const Shape& to);

}  // namespace intaglio::tflite
