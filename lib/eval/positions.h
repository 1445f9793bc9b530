// Scores of classes: which axis of an output the classes lie along, and the best ones everywhere.
//
// Every index of the other axes is a position that has an answer of its own: an item of the batch,
// a step of a sequence, a pixel.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

// The only axis behind the first that is longer than 1: of [N,C], [1,C,1,1] or [T,1,C]. Where there
// are several or none, axis 1 of images and volumes (four axes or more), and the last one else.
std::size_t class_axis(const Shape& shape);

// Whether the rule above has one axis to go by: an output of another shape may hold anything.
bool holds_scores(const Shape& shape);

// Indices of the k best classes of each position, best first, positions in row-major order; fewer
// where there are fewer classes. Among equals the lower index goes first; NaN counts as the lowest.
std::vector<std::vector<std::size_t>> best_by_position(const Tensor& scores, std::size_t k);

}  // namespace intaglio
