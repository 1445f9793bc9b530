// Arguments that older opsets give as an attribute and newer ones as an input, and checks on
// indices.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/exec/kernel.h"

namespace intaglio {

// A list of integers: the input if it is there, otherwise the attribute (an int counts as a list of
// one), otherwise nothing.
class IntsArgument {
 public:
  IntsArgument(const Node& node, std::string_view attr, std::size_t input);
  std::optional<std::vector<std::int64_t>> get(const KernelContext& context) const;

 private:
  std::size_t input_;
  std::optional<std::vector<std::int64_t>> attr_;
};

// Every axis moved into [0, rank). Code::model when one is out of range or named twice.
std::vector<std::int64_t> normalized_axes(std::span<const std::int64_t> axes, std::int64_t rank);

// An index in [-length, length) moved into [0, length); Code::model otherwise.
std::int64_t checked_index(std::int64_t index, std::int64_t length);

// The shape as three lengths: before, at, and after an axis. The form in which kernels that work
// along one axis see a tensor. Where one of those around the axis is 0, so is the other: loops over
// both end at once. An axis of length 0 is left to the kernel, which may make something of it.
struct AxisView {
  std::int64_t outer, length, inner;
  AxisView(std::span<const std::int64_t> shape, std::int64_t axis);
};

// Bytes of one element. Code::unsupported for packed elements, which cannot be moved one by one.
std::size_t element_width(const Tensor& tensor);

// Calls f with an unsigned integer of the width of the elements: for kernels that only move them.
template <typename F>
decltype(auto) visit_width(const Tensor& tensor, F&& f) {
  switch (element_width(tensor)) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

}  // namespace intaglio
