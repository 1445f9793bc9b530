// Expand and Tile: copies of a tensor side by side.
#include <fmt/format.h>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/strided.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// The requested shape may itself have axes of 1 where the input is longer.
void expand(KernelContext& c) {
  const Tensor& x = c.input(0);
  const Shape shape = broadcast_shapes(x.shape(), c.input(1).to_vector<std::int64_t>());
  copy_strided(x, 0, broadcast_strides(x.shape(), shape), c.output(0, x.dtype(), shape));
}

// Each axis of the result is walked as (repeat, element): a strided copy with twice the axes.
void tile(KernelContext& c, std::span<const std::int64_t> repeats) {
  const Tensor& x = c.input(0);
  if (repeats.size() != x.shape().size())
    throw Error(Code::model, fmt::format("repeats {} do not fit shape {}", to_string(repeats),
                                         to_string(x.shape())));
  const Shape strides = strides_of(x.shape());
  Shape split, steps, shape;
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    split.insert(split.end(), {repeats[d], x.dim(d)});
    steps.insert(steps.end(), {0, strides[d]});
    shape.push_back(element_count(std::span(split).last(2)));
  }
  Tensor result(x.dtype(), split);
  copy_strided(x, 0, steps, result);
  c.set_output(0, result.reshaped(std::move(shape)));
}

std::unique_ptr<Kernel> make_expand(const Node&) { return make_kernel(expand); }

// Opset 1: tiles and axis, both scalars.
std::unique_ptr<Kernel> make_tile_axis(const Node&) {
  return make_kernel([](KernelContext& c) {
    Shape repeats(c.input(0).shape().size(), 1);
    const auto axis =
        normalized_axis(convert(c.input(2), DType::s64).item<std::int64_t>(), c.input(0).rank());
    repeats[static_cast<std::size_t>(axis)] = convert(c.input(1), DType::s64).item<std::int64_t>();
    tile(c, repeats);
  });
}

std::unique_ptr<Kernel> make_tile(const Node&) {
  return make_kernel([](KernelContext& c) { tile(c, c.input(1).to_vector<std::int64_t>()); });
}

void infer_expand(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto shape = c.numbers(1);
  if (shape) c.set(0, c.dtype(0), broadcast(c.dims(0), std::optional(dims_of(*shape))));
}

void infer_tile_axis(RuleContext& c) {
  c.set(0, c.dtype(0), c.dims(0) ? std::optional(Dims(c.dims(0)->size())) : std::nullopt);
}

void infer_tile(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto repeats = c.numbers(1);
  if (!c.dims(0) && !repeats) return;
  Dims dims(c.dims(0) ? c.dims(0)->size() : repeats->size());
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const Dim length = c.dims(0) ? (*c.dims(0))[i] : Dim{};
    const Number times_ = repeats && i < repeats->size() ? (*repeats)[i] : Number{};
    if (times_.value) dims[i] = times(length, *times_.value);
    if (length.value == 1) dims[i] = dim_of(times_);
  }
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_expand(Registry& registry) {
  registry.add({.op = "Expand", .since = 8, .make = make_expand, .infer = infer_expand});
  registry.add({.op = "Tile", .since = 1, .make = make_tile_axis, .infer = infer_tile_axis});
  registry.add({.op = "Tile", .since = 6, .make = make_tile, .infer = infer_tile});
}

}  // namespace intaglio
