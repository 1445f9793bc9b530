// Lengths that a model leaves open get a number: compilers for NPUs run nothing of a model whose
// shapes are not known.
//
//   Before: x [N,3,H,W] -> ... -> Shape, Gather, Concat -> Reshape -> y [N,1000]
//   After:  x [1,3,224,224] -> ... -> Reshape (a constant) -> y [1,1000]
//
// What is computed stays the same for inputs of these shapes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/graph/model.h"

namespace intaglio {

bool all_known(const Dims& dims);  // all lengths

struct ShapeRequest {
  std::optional<std::int64_t> batch;    // the first axis of each input that leaves it open
  std::map<std::string, Shape> shapes;  // whole inputs, by name; they go before `batch`

  bool empty() const { return !batch && shapes.empty(); }
};

// An input whose shape was fixed.
struct FixedShape {
  std::string input;
  Dims before, after;
};

// What fix_shapes() would do, without doing it. Axes of one name have one length: where an input
// fixes "sequence", that of every other is fixed too. Throws Code::usage for a shape of no input, of
// another rank, or with other lengths than the model or another shape states.
std::vector<FixedShape> fixed_shapes(const Graph& graph, const ShapeRequest& request);

// Fixes them, infers the shapes behind them anew, and computes what then depends on constants
// alone, shapes above all.
std::vector<FixedShape> fix_shapes(Model& model, const ShapeRequest& request);

}  // namespace intaglio
