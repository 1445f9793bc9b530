#include "lib/eval/softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/exec/arguments.h"
#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

constexpr float reach_of_softmax = 20, reach_before = 100;

using Rows = std::map<std::string, SoftmaxRows>;

bool is_softmax(const Node& node) {
  return (node.is("Softmax") || node.is("LogSoftmax")) && node.opset() >= 13;
}

// Counted from the last axis; 0: it is not known which one it is.
int axis_of(const Node& softmax) {
  const auto axis = static_cast<int>(softmax.attr_int("axis", -1));
  const int rank = softmax.input(0) != nullptr ? softmax.input(0)->rank() : -1;
  return axis < 0 || rank < 0 ? std::min(axis, 0) : std::min(axis - rank, 0);
}

// Of a value all of whose readers end in rows along one axis; nothing otherwise.
const SoftmaxRows* rows_behind(const Value& value, const Rows& known, SoftmaxRows& found) {
  if (value.is_output() || value.uses().empty()) return nullptr;
  const SoftmaxRows* result = nullptr;
  for (const Use& use : value.uses()) {
    const Node& reader = *use.node;
    SoftmaxRows rows;
    if (is_softmax(reader)) {
      rows = {axis_of(reader), reach_of_softmax};
    } else if (traits_of(reader).keeps_rows && reader.output(0) != nullptr &&
               known.contains(reader.output(0)->name())) {
      rows = {known.at(reader.output(0)->name()).axis, reach_before};
    } else {
      return nullptr;
    }
    if (rows.axis == 0 || (result != nullptr && result->axis != rows.axis)) return nullptr;
    found = result == nullptr ? rows : SoftmaxRows{rows.axis, std::max(rows.reach, found.reach)};
    result = &found;
  }
  return result;
}

}  // namespace

Rows softmax_rows(const Graph& graph) {
  Rows known;
  const auto take = [&](const Value* value) {
    SoftmaxRows found;
    if (value != nullptr && rows_behind(*value, known, found) != nullptr)
      known[value->name()] = found;
  };
  const std::vector<Node*> nodes = graph.nodes();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it)  // readers first
    for (const Value* made : (*it)->outputs()) take(made);
  for (const Value* feed : graph.feeds()) take(feed);
  return known;
}

void add_unmasked(const Tensor& x, const Tensor& y, const SoftmaxRows& rows, Deviation& deviation) {
  const int rank = x.rank();
  const Tensor a = to_row_major(x), b = to_row_major(y);
  if (rank + rows.axis < 0 || x.shape() != y.shape())  // one for each row: nothing to compare with
    return deviation.add(a.data<float>(), b.data<float>());
  const AxisView view(a.shape(), rank + rows.axis);
  const auto in = a.data<float>(), twin = b.data<float>();
  std::vector<float> expected, actual;
  for (std::int64_t o = 0; view.length > 0 && o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const auto at = [&](std::int64_t k) {
        return static_cast<std::size_t>((o * view.length + k) * view.inner + i);
      };
      float largest = -std::numeric_limits<float>::infinity();
      for (std::int64_t k = 0; k < view.length; ++k) largest = std::max(largest, in[at(k)]);
      const float floor = largest - rows.reach;
      for (std::int64_t k = 0; k < view.length; ++k) {
        const float v = in[at(k)], w = twin[at(k)];
        if (v < floor && w <= largest - rows.reach / 2) continue;
        expected.push_back(v < floor ? floor : v);
        actual.push_back(w);
      }
    }
  deviation.add(expected, actual);
}

}  // namespace intaglio
