// Gather, GatherElements, GatherND.
#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/indices.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Indices replace one axis of the data by their own shape.
std::unique_ptr<Kernel> make_gather(const Node& node) {
  return make_kernel([given = node.attr_int("axis", 0)](KernelContext& c) {
    const Tensor &x = c.input(0), &indices = c.input(1);
    const std::int64_t axis = normalized_axis(given, x.rank());
    const AxisView view(x.shape(), axis);
    Shape shape(x.shape().begin(), x.shape().begin() + axis);
    shape.insert(shape.end(), indices.shape().begin(), indices.shape().end());
    shape.insert(shape.end(), x.shape().begin() + axis + 1, x.shape().end());
    Tensor& result = c.output(0, x.dtype(), std::move(shape));

    auto wanted = indices.to_vector<std::int64_t>();
    for (std::int64_t& i : wanted) i = checked_index(i, view.length);
    const std::size_t block = static_cast<std::size_t>(view.inner) * element_width(x);
    std::byte* out = result.raw_mutate();
    if (result.size() == 0) return;
    for (std::int64_t o = 0; o < view.outer; ++o)
      for (const std::int64_t i : wanted) {
        std::memcpy(out, x.raw() + static_cast<std::size_t>(o * view.length + i) * block, block);
        out += block;
      }
  });
}

std::unique_ptr<Kernel> make_gather_elements(const Node& node) {
  return make_kernel([given = node.attr_int("axis", 0)](KernelContext& c) {
    const Tensor &x = c.input(0), &indices = c.input(1);
    const ElementIndices at(x.shape(), indices, given);
    Tensor& result = c.output(0, x.dtype(), indices.shape());
    visit_width(x, [&](auto zero) {
      using T = decltype(zero);
      const T* in = reinterpret_cast<const T*>(x.raw());
      T* out = reinterpret_cast<T*>(result.raw_mutate());
      at.each([&](std::int64_t i, std::int64_t place) { out[i] = in[place]; });
    });
  });
}

std::unique_ptr<Kernel> make_gather_nd(const Node& node) {
  return make_kernel([batch_dims = node.attr_int("batch_dims", 0)](KernelContext& c) {
    const Tensor &x = c.input(0), &indices = c.input(1);
    const BlockIndices at(x.shape(), indices, batch_dims);
    Shape shape(indices.shape().begin(), indices.shape().end() - 1);
    shape.insert(shape.end(), x.shape().end() - at.block_rank(), x.shape().end());
    Tensor& result = c.output(0, x.dtype(), std::move(shape));
    const std::size_t block = static_cast<std::size_t>(at.block()) * element_width(x);
    std::byte* out = result.raw_mutate();
    if (result.size() == 0) return;
    at.each([&](std::int64_t i, std::int64_t place) {
      std::memcpy(out + static_cast<std::size_t>(i) * block,
                  x.raw() + static_cast<std::size_t>(place) * block, block);
    });
  });
}

void infer_gather(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0) || !c.dims(1)) return;
  Dims dims = *c.dims(0);
  const std::size_t axis = axis_of(c.node().attr_int("axis", 0), dims);
  const auto at = dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(at, c.dims(1)->begin(), c.dims(1)->end());
  c.set(0, c.dtype(0), dims);
  const auto from = c.numbers(0);
  const auto chosen = c.ints(1);
  if (!from || !chosen || c.dims(0)->size() != 1 || dims.size() > 1) return;
  Numbers elements;
  for (const std::int64_t i : *chosen)
    elements.push_back((*from)[static_cast<std::size_t>(checked_index(i, std::ssize(*from)))]);
  c.set_numbers(0, std::move(elements));
}

void infer_gather_elements(RuleContext& c) { c.set(0, c.dtype(0), c.dims(1)); }

void infer_gather_nd(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0) || !c.dims(1) || c.dims(1)->empty() || !c.dims(1)->back().known()) return;
  const std::int64_t shared = c.node().attr_int("batch_dims", 0), rank = std::ssize(*c.dims(0));
  if (shared < 0 || shared > rank || c.dims(1)->back().value > rank - shared) return;
  const std::int64_t named = shared + c.dims(1)->back().value;
  Dims dims(c.dims(1)->begin(), c.dims(1)->end() - 1);
  dims.insert(dims.end(), c.dims(0)->begin() + named, c.dims(0)->end());
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_gather(Registry& registry) {
  registry.add({.op = "Gather", .make = make_gather, .infer = infer_gather});
  registry.add({.op = "GatherElements",
                .since = 11,
                .make = make_gather_elements,
                .infer = infer_gather_elements});
  registry.add({.op = "GatherND", .since = 11, .make = make_gather_nd, .infer = infer_gather_nd});
}

}  // namespace intaglio
