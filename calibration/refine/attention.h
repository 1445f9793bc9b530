// Where the channels of a value lie behind the nodes that attention is made of: those that split
// the last axis into heads and join it again, move axes, and weigh rows.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/graph/graph.h"

namespace intaglio {

struct ChannelAxes {
  // Of the channels; -1: the last one, of unknown rank.
  int axis = -1;
  // Of the heads: channels lie along it and, inside each of its places, along the other. -1: there
  // are none.
  int heads = -1;
};

// Of the result of a Reshape, a Transpose, or a MatMul whose second factor has the channels, along
// its last axis. nullopt: another node, or the channels do not stay together.
std::optional<ChannelAxes> through_attention(const Node& node, ChannelAxes from,
                                             std::size_t channels);

}  // namespace intaglio
