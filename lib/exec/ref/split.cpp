#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Equal parts; since opset 18 (uneven) the last one may be smaller.
std::vector<std::int64_t> equal_parts(std::int64_t length, std::int64_t count, bool uneven) {
  if (!uneven && length % count != 0)
    throw Error(Code::model,
                fmt::format("{} elements do not split into {} equal parts", length, count));
  std::vector<std::int64_t> parts;
  const std::int64_t size = (length + count - 1) / count;
  for (std::int64_t left = length; count > 0; --count, left -= parts.back())
    parts.push_back(std::min(size, left));
  return parts;
}

void require_parts(std::span<const std::int64_t> parts, std::int64_t length, std::size_t outputs) {
  // Each part is compared with the whole, so that the sum cannot overflow before it is compared.
  const bool sane = std::all_of(parts.begin(), parts.end(),
                                [&](std::int64_t p) { return p >= 0 && p <= length; });
  if (!sane || parts.size() != outputs ||
      std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) != length)
    throw Error(Code::model, fmt::format("the parts {} do not make {} outputs of {} elements",
                                         to_string(parts), outputs, length));
}

std::unique_ptr<Kernel> make_split(const Node& node) {
  if (node.outputs().empty()) throw Error(Code::model, "it has no outputs");
  return make_kernel([given = node.attr_int("axis", 0), uneven = node.opset() >= 18,
                      argument = IntsArgument(node, "split", 1)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const std::int64_t axis = normalized_axis(given, x.rank());
    const AxisView from(x.shape(), axis);
    const auto count = static_cast<std::int64_t>(c.output_count());
    const auto named = argument.get(c);
    const auto parts = named && !named->empty() ? *named : equal_parts(from.length, count, uneven);
    require_parts(parts, from.length, c.output_count());

    const auto width = static_cast<std::int64_t>(element_width(x));
    const std::int64_t pitch = from.length * from.inner * width;
    const std::byte* in = x.raw();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::int64_t bytes = parts[i] * from.inner * width;
      if (c.wants(i)) {
        Shape shape = x.shape();
        shape[static_cast<std::size_t>(axis)] = parts[i];
        std::byte* out = c.output(i, x.dtype(), std::move(shape)).raw_mutate();
        for (std::int64_t o = 0; bytes > 0 && o < from.outer; ++o)
          std::memcpy(out + o * bytes, in + o * pitch, static_cast<std::size_t>(bytes));
      }
      in += bytes;
    }
  });
}

void infer_split(RuleContext& c) {
  const std::size_t outputs = c.result_count();
  for (std::size_t i = 0; i < outputs; ++i) c.set(i, c.dtype(0));
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  const std::size_t axis = axis_of(c.node().attr_int("axis", 0), dims);
  const Dim whole = std::exchange(dims[axis], Dim{});
  auto parts = c.numbers(1, "split");
  if (!c.has(1, "split") && whole.known()) {
    parts.emplace();
    for (const std::int64_t part :
         equal_parts(whole.value, static_cast<std::int64_t>(outputs), c.node().opset() >= 18))
      parts->push_back({part, {}, false});
  }
  const auto numbers = c.numbers(0);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < outputs; ++i) {
    const Number part = parts && i < parts->size() ? (*parts)[i] : Number{};
    dims[axis] = dim_of(part);
    c.set(i, c.dtype(0), dims);
    if (!part.value || first < 0 || *part.value < 0) first = -1;
    if (first < 0 || !numbers || first + *part.value > std::ssize(*numbers) || dims.size() != 1)
      continue;
    c.set_numbers(i, Numbers(numbers->begin() + first, numbers->begin() + first + *part.value));
    first += *part.value;
  }
}

}  // namespace

void register_split(Registry& registry) {
  registry.add({.op = "Split", .make = make_split, .infer = infer_split});
}

}  // namespace intaglio
