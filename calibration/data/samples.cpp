#include "calibration/data/samples.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <utility>

namespace intaglio {
namespace {

Error unfit(const Tensor& array, const FeedType& feed, std::string_view reason) {
  return Error(
      Code::data,
      fmt::format("an array {} does not fit {}: {}", to_string(array.shape()), feed.text(), reason),
      "Save arrays of the input's shape, with or without a leading axis of samples.");
}

// Whether b says the same as a, up to the rounding of floats.
bool same_values(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  const bool rounds = is_float(b.dtype());
  for (std::size_t i = 0; i < x.size(); ++i)
    if (rounds ? std::isfinite(x[i]) && !std::isfinite(y[i]) : x[i] != y[i]) return false;
  return true;
}

Tensor fitted(const Tensor& tensor, DType type) {
  if (type == DType::undefined || tensor.dtype() == type) return tensor;
  Tensor result = convert(tensor, type);
  if (!same_values(tensor, result))
    throw Error(Code::data,
                fmt::format("values of type {} that {} cannot hold", name_of(tensor.dtype()),
                            name_of(type)),
                fmt::format("Save the array as {}.", name_of(type)));
  return result;
}

}  // namespace

FeedSlices::FeedSlices(Tensor array, const FeedType& feed, Batches batches)
    : array_(to_row_major(array)), shape_(array.shape()), dtype_(feed.dtype) {
  if (is_packed(array.dtype())) throw Error(Code::data, "arrays of packed elements are not read");
  const int rank = feed.rank();
  if (rank < 0) return;
  const Dims& dims = *feed.dims;
  if (array.rank() == rank + 1) {
    count_ = shape_.front();
    shape_.erase(shape_.begin());
  } else if (array.rank() == rank - 1) {
    shape_.insert(shape_.begin(), 1);
  } else if (array.rank() != rank) {
    throw unfit(array, feed, "another number of axes");
  } else if (rank > 0 && batches == Batches::split) {
    const std::int64_t batch = dims[0].known() ? std::max<std::int64_t>(dims[0].value, 1) : 1;
    if (shape_[0] % batch != 0)
      throw unfit(array, feed, fmt::format("axis 0 is not a multiple of {}", batch));
    count_ = shape_[0] / batch;
    shape_[0] = batch;
  }
  if (count_ == 0) throw unfit(array, feed, "it holds no sample");
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis].known() && dims[axis].value != shape_[axis])
      throw unfit(
          array, feed,
          fmt::format("{} along axis {} of a feed, not {}", shape_[axis], axis, dims[axis].value));
}

Tensor FeedSlices::at(std::int64_t i) const {
  const std::size_t bytes = Tensor::bytes_for(array_.dtype(), shape_);
  const std::byte* start = array_.raw() + static_cast<std::size_t>(i) * bytes;
  const std::shared_ptr<const std::byte> shared(std::make_shared<Tensor>(array_), start);
  return fitted(Tensor::view(array_.dtype(), shape_, shared), dtype_);
}

}  // namespace intaglio
