// Inputs that say which positions count, and data in which all of them do.
#pragma once

#include <string>
#include <vector>

#include "calibration/data/checked_dataset.h"
#include "lib/graph/graph.h"

namespace intaglio {

// Warns of every input that is a mask, by its name or by its readers (an Add, Mul or Where in front
// of a Softmax, through what computes with masks), and has one value in all samples (up to 64, spread
// evenly): a model that was calibrated so has never seen what padding does.
void warn_of_unmoved_masks(const Graph& graph, CheckedDataset& data,
                           std::vector<std::string>& warnings);

}  // namespace intaglio
