// Inputs that are indices: token ids beyond the table that they choose rows of are bad data, not a
// malformed model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct IndexBound {
  std::size_t feed = 0;     // number of the input
  std::string input;        // its name
  std::string table;        // what it chooses rows of
  std::int64_t length = 0;  // of the table: indices lie in [-length, length)
};

// Of integer inputs that a Gather reads as indices, as they are or behind what only moves or widens
// them, where the length of the table is known. Of several tables the shortest.
std::vector<IndexBound> index_bounds(std::span<const Value* const> feeds);

// Throws Code::data when an element of the tensor lies outside.
void require_within(const IndexBound& bound, const Tensor& tensor);

}  // namespace intaglio
