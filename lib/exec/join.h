// Concat without copies: the steps that make the inputs write them where the result will be.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "lib/exec/kernel.h"

namespace intaglio {

struct JoinedValue {
  const Value* result = nullptr;  // what the Concat makes
  ChannelSlice slice;
};
using JoinedValues = std::unordered_map<const Value*, JoinedValue>;

// What the inputs of a Concat along the channels of images become parts of; nothing when one of
// them is read by others or observed, has unknown channels, or when `slices` says no: whether the
// step that makes a value can write into a part of a tensor.
JoinedValues joined_values(const Node& concat, const std::function<bool(const Value&)>& observed,
                           const std::function<bool(const Value&)>& slices);

}  // namespace intaglio
