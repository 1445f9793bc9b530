#include "lib/exec/ops/indices.h"

#include <fmt/format.h>

namespace intaglio {
namespace {

Error misfit(const Shape& data, const Tensor& indices) {
  return Error(Code::model, fmt::format("indices of shape {} do not fit data of shape {}",
                                        to_string(indices.shape()), to_string(data)));
}

Nest<1> nest_without_axis(const Shape& data, const Tensor& indices, std::int64_t axis) {
  if (indices.shape().size() != data.size()) throw misfit(data, indices);
  Shape strides = strides_of(data);
  for (std::size_t d = 0; d < data.size(); ++d)
    if (static_cast<std::int64_t>(d) == axis) {
      strides[d] = 0;
    } else if (indices.dim(d) > data[d]) {
      throw misfit(data, indices);
    }
  return Nest<1>(indices.shape(), {strides});
}

}  // namespace

ElementIndices::ElementIndices(const Shape& data, const Tensor& indices, std::int64_t axis)
    : nest_(nest_without_axis(data, indices,
                              normalized_axis(axis, static_cast<std::int64_t>(data.size())))),
      along_(indices.to_vector<std::int64_t>()) {
  const AxisView view(data, normalized_axis(axis, static_cast<std::int64_t>(data.size())));
  for (std::int64_t& i : along_) i = checked_index(i, view.length) * view.inner;
}

BlockIndices::BlockIndices(const Shape& data, const Tensor& indices, std::int64_t batch_dims) {
  const auto data_rank = static_cast<std::int64_t>(data.size());
  if (indices.rank() == 0 || batch_dims < 0 || batch_dims >= indices.rank())
    throw misfit(data, indices);
  const std::int64_t coordinates = indices.shape().back();
  block_rank_ = data_rank - batch_dims - coordinates;
  if (block_rank_ < 0) throw misfit(data, indices);
  for (std::size_t d = 0; d < static_cast<std::size_t>(batch_dims); ++d)
    if (indices.dim(d) != data[d]) throw misfit(data, indices);

  const auto first = static_cast<std::size_t>(batch_dims);
  const auto last = static_cast<std::size_t>(batch_dims + coordinates);
  block_ = product(data, last, data.size());
  const std::int64_t batches = product(data, 0, first);
  const auto values = indices.to_vector<std::int64_t>();
  const std::int64_t count = product(indices.shape(), 0, indices.shape().size() - 1);
  places_.reserve(static_cast<std::size_t>(count));
  auto value = values.begin();
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t place = i / (count / batches);  // the batch
    for (std::size_t d = first; d < last; ++d)
      place = place * data[d] + checked_index(*value++, data[d]);
    places_.push_back(place);
  }
}

}  // namespace intaglio
