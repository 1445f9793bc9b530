// TensorScatter (opset 24): writes the update into a cache, each sample at its own place along an
// axis; circular: past the end it goes on at the start.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_tensor_scatter(const Node& node) {
  const bool circular = node.attr_string("mode", "linear") == "circular";
  return make_kernel([circular, given = node.attr_int("axis", -2)](KernelContext& c) {
    const Tensor &cache = c.input(0), &update = c.input(1);
    const std::int64_t axis = normalized_axis(given, cache.rank());
    Shape whole = update.shape();
    if (axis == 0 || update.rank() != cache.rank() ||
        update.dim(static_cast<std::size_t>(axis)) > cache.dim(static_cast<std::size_t>(axis)))
      throw Error(Code::model, fmt::format("an update of shape {} for shape {} along axis {}",
                                           to_string(whole), to_string(cache.shape()), axis));
    whole[static_cast<std::size_t>(axis)] = cache.dim(static_cast<std::size_t>(axis));
    std::vector<std::int64_t> starts(static_cast<std::size_t>(cache.dim(0)), 0);
    if (c.optional(2) != nullptr) starts = c.optional(2)->to_vector<std::int64_t>();
    if (whole != cache.shape() || static_cast<std::int64_t>(starts.size()) != cache.dim(0) ||
        update.dtype() != cache.dtype())
      throw Error(Code::model, "the update or its places do not fit " + to_string(cache.shape()));
    for (const std::int64_t start : starts)
      if (start < 0 || start > cache.dim(static_cast<std::size_t>(axis)))
        throw Error(Code::model,
                    fmt::format("place {} in shape {}", start, to_string(cache.shape())));
    const AxisView from(update.shape(), axis), to(cache.shape(), axis);
    const std::size_t row = static_cast<std::size_t>(to.inner) * element_width(cache);
    Tensor result = cache;
    std::byte* out = result.raw_mutate();
    for (std::int64_t o = 0; o < from.outer; ++o)
      for (std::int64_t i = 0; i < from.length; ++i) {
        std::int64_t at = starts[static_cast<std::size_t>(o / (from.outer / cache.dim(0)))];
        at = checked_index(circular ? (at % to.length + i) % to.length : at + i, to.length);
        std::copy_n(update.raw() + static_cast<std::size_t>(o * from.length + i) * row, row,
                    out + static_cast<std::size_t>(o * to.length + at) * row);
      }
    c.set_output(0, std::move(result));
  });
}

}  // namespace

void register_tensor_scatter(Registry& registry) {
  registry.add(
      {.op = "TensorScatter", .since = 24, .make = make_tensor_scatter, .infer = rules::like});
}

}  // namespace intaglio
