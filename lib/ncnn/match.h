// Which layer of an ncnn network is which node of a model. Converters give layers names of their own
// and merge operators, but keep weights: layers and nodes are matched by these.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/ncnn/network.h"

namespace intaglio {

// Where the elements of a node's weight lie in ncnn's array: element i of the array is element
// order[i] of the tensor. Conv and Gemm: rows of outputs. ConvTranspose (C, M/group, k...): rows of
// outputs, of each group. MatMul (K, N): rows of outputs. Empty: the node has no constant weight that
// a layer of ncnn could hold.
std::vector<std::size_t> ncnn_order(const Node& node);

// The constant bias of a node with weights, one float for each output; nullopt: it has none.
std::optional<std::vector<float>> ncnn_bias(const Node& node);

// The weights of a node as ncnn has them; empty: as above.
std::vector<float> ncnn_weights(const Node& node);

// The node of each layer, null where there is none: that of the same weights, up to what float16 and
// another order of folding make of them, and of the same bias if the node has one. Equal ones are
// taken in order.
std::vector<const Node*> match_ncnn(const NcnnNetwork& network, const Graph& graph);

}  // namespace intaglio
