// Values that end in a Softmax: what lies far below the largest of its row is nothing behind it,
// and a mask of huge negative numbers, which any arithmetic keeps, would outshine all that counts.
#pragma once

#include <map>
#include <string>

#include "lib/eval/metrics.h"
#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct SoftmaxRows {
  int axis = -1;    // of the row, counted from the last one
  float reach = 0;  // what lies further below the largest of the row is masked
};

// By name: what a Softmax reads, which masks what is 20 below the largest (e^-20 is nothing in 8
// bits), and what only reaches one by sums, Where and factors. Scores may be moved by more than 20
// there, so that 100 mask.
std::map<std::string, SoftmaxRows> softmax_rows(const Graph& graph);

// Adds pairs, row by row. Elements of x that are masked are left out where those of y are at least
// half as far below; otherwise x counts as if it were no lower than the reach.
void add_unmasked(const Tensor& x, const Tensor& y, const SoftmaxRows& rows, Deviation& deviation);

}  // namespace intaglio
