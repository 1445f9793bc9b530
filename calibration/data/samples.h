// How arrays become the feeds of a model input.
#pragma once

#include "calibration/data/feed.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// What an array of the input's own rank is.
enum class Batches {
  split,  // samples along its batch axis, fed one by one (calibration, evaluation)
  whole,  // one feed, as it stands (a single run)
};

// An array cut into feeds of one input. By rank, against that of the input:
//   equal      samples along axis 0, each fed with a batch of 1, or of the input's own batch if
//              that is fixed to another number; with Batches::whole, and for scalars, one feed
//   one less   one sample without its batch axis
//   one more   a stack of feeds along axis 0
//   unknown    (that of the input) one feed
// Throws Code::data, with the reason alone, when none of these fits, when a known dimension
// differs, or when there is no sample in it.
class FeedSlices {
 public:
  FeedSlices(Tensor array, const FeedType& feed, Batches batches);

  std::int64_t count() const { return count_; }

  // Feed i, of the input's element type; a view of the array where that is possible. Throws
  // Code::data when the type of the input cannot hold a value: integers must stay what they are,
  // floats may be rounded but not overflow.
  Tensor at(std::int64_t i) const;

 private:
  Tensor array_;
  Shape shape_;  // of one feed
  std::int64_t count_ = 1;
  DType dtype_;  // of the input
};

}  // namespace intaglio
