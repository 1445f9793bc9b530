// Whether a network takes samples of the shapes that they have, before it runs on them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lib/graph/model.h"

namespace intaglio {

// Where axes of inputs are free, an array may have a length that fits the input and not what the
// network makes of it: a mask one shorter than the tokens, more tokens than there are positions.
// Each combination of shapes is tried once, by the rules of inference (lib/exec/infer.h). All
// functions may be called from many threads at once.
class ShapeTrial {
 public:
  explicit ShapeTrial(const Model& model);  // which it copies, without the weights

  // Throws Code::data with the node and what does not fit. What the rules cannot tell is taken.
  void require_taken(const std::vector<Tensor>& feeds);

 private:
  Model model_;
  bool free_ = false;  // whether an axis behind the first, that of samples, has no fixed length
  std::mutex mutex_;
  std::map<std::vector<Shape>, std::string> reasons_;  // of shapes that were tried; empty: taken
};

}  // namespace intaglio
