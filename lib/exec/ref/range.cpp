#include <fmt/format.h>

#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// max(ceil((limit - start) / delta), 0), without overflow; 2^62 and above stands for "too many".
template <typename T>
std::int64_t range_length(T start, T limit, T delta) {
  if (delta == 0) throw Error(Code::model, "a delta of 0");
  if constexpr (std::is_integral_v<T>) {
    if (delta > 0 ? start >= limit : start <= limit) return 0;
    const auto from = static_cast<std::uint64_t>(start), to = static_cast<std::uint64_t>(limit);
    const std::uint64_t distance = delta > 0 ? to - from : from - to;
    const auto by = static_cast<std::uint64_t>(delta);
    const std::uint64_t steps = (distance - 1) / (delta > 0 ? by : 0 - by) + 1;
    return static_cast<std::int64_t>(std::min(steps, std::uint64_t{1} << 62));
  } else {
    const double steps =
        std::ceil((static_cast<double>(limit) - start) / static_cast<double>(delta));
    if (std::isnan(steps)) throw Error(Code::model, "a bound that is not a number");
    return steps <= 0        ? 0
           : steps >= 0x1p62 ? std::int64_t{1} << 62
                             : static_cast<std::int64_t>(steps);
  }
}

void range(KernelContext& c) {
  visit_number(c.input(0).dtype(), [&](auto zero) {
    using T = decltype(zero);
    using C = Compute<T>;
    const C start = c.input(0).item<T>(), limit = c.input(1).item<T>(),
            delta = c.input(2).item<T>();
    Tensor& result = c.output(0, dtype_of<T>(), {range_length(start, limit, delta)});
    const auto out = result.mutate<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(start + static_cast<C>(i) * delta);
  });
}

std::unique_ptr<Kernel> make_range(const Node&) { return make_kernel(range); }

void infer_range(RuleContext& c) {
  DType type = c.dtype(0);
  for (std::size_t i = 1; i < 3 && type == DType::undefined; ++i) type = c.dtype(i);
  c.set(0, type, Dims(1));
  const auto start = c.numbers(0), limit = c.numbers(1), delta = c.numbers(2);
  const auto is = [](const auto& n, std::int64_t v) {
    return n && n->size() == 1 && (*n)[0].is(v);
  };
  if (is(start, 0) && is(delta, 1) && limit && limit->size() == 1 && (*limit)[0].length)
    return c.set(0, type, Dims{dim_of((*limit)[0])});
  for (std::size_t i = 0; i < 3; ++i)
    if (!c.input(i).constant.defined()) return;
  visit_number(type, [&](auto zero) {
    using T = decltype(zero);
    using C = Compute<T>;
    const C from = c.input(0).constant.item<T>(), to = c.input(1).constant.item<T>(),
            by = c.input(2).constant.item<T>();
    c.set(0, type, Dims{dim_of(range_length(from, to, by))});
  });
}

}  // namespace

void register_range(Registry& registry) {
  registry.add({.op = "Range", .since = 11, .make = make_range, .infer = infer_range});
}

}  // namespace intaglio
