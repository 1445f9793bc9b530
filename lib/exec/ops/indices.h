// The two ways in which the Gather and Scatter families address a tensor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/exec/arguments.h"
#include "lib/exec/nest.h"

namespace intaglio {

// GatherElements, ScatterElements: index i, at some place of the index tensor, addresses the data
// at that place with the coordinate along `axis` replaced by i.
class ElementIndices {
 public:
  // Throws Code::model when ranks differ, when the indices are longer than the data along another
  // axis, or when an index is out of range.
  ElementIndices(const Shape& data, const Tensor& indices, std::int64_t axis);

  // Calls f(i, place) for every index: its number and the offset of the data element.
  template <typename F>
  void each(F f) const {
    const std::int64_t step = nest_.inner_strides()[0];
    nest_.rows([&](std::int64_t first, const auto& at) {
      for (std::int64_t i = 0; i < nest_.inner(); ++i)
        f(first + i, at[0] + i * step + along_[static_cast<std::size_t>(first + i)]);
    });
  }

 private:
  Nest<1> nest_;                     // the data under the shape of the indices, without the axis
  std::vector<std::int64_t> along_;  // offset that each index adds along the axis
};

// GatherND, ScatterND: the last axis of the index tensor holds the leading coordinates, after
// batch_dims common axes, of a block of the data.
class BlockIndices {
 public:
  // Throws Code::model when the shapes do not fit or an index is out of range.
  BlockIndices(const Shape& data, const Tensor& indices, std::int64_t batch_dims);

  std::int64_t block() const { return block_; }            // elements of a block
  std::int64_t block_rank() const { return block_rank_; }  // its axes: the last ones of the data

  // Calls f(i, place) for every index: its number and that of the block it addresses.
  template <typename F>
  void each(F f) const {
    for (std::size_t i = 0; i < places_.size(); ++i) f(static_cast<std::int64_t>(i), places_[i]);
  }

 private:
  std::int64_t block_ = 1, block_rank_ = 0;
  std::vector<std::int64_t> places_;
};

}  // namespace intaglio
