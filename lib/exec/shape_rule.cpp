#include "lib/exec/shape_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"

namespace intaglio {

namespace {

constexpr std::int64_t most_numbers = 1024;  // shapes are computed with a few

bool is_integer(DType type) {
  return type == DType::s64 || type == DType::s32 || type == DType::boolean;
}

Numbers numbers_of(const std::vector<std::int64_t>& values) {
  Numbers result;
  for (const std::int64_t v : values) result.push_back({v, {}, false});
  return result;
}

}  // namespace

const Known& RuleContext::input(std::size_t i) const {
  static const Known nothing;
  return i < inputs_.size() && inputs_[i] != nullptr ? *inputs_[i] : nothing;
}

std::optional<Numbers> RuleContext::numbers(std::size_t i) const {
  const Known& known = input(i);
  if (!has(i) || (known.dtype != DType::undefined && !is_integer(known.dtype))) return std::nullopt;
  if (known.numbers) return known.numbers;
  if (known.constant.defined() && known.constant.size() <= most_numbers)
    return numbers_of(known.constant.to_vector<std::int64_t>());
  if (!known.dims || known.dims->size() > 1) return std::nullopt;
  const Dim count = known.dims->empty() ? dim_of(1) : known.dims->front();
  if (!count.known() || count.value > most_numbers) return std::nullopt;
  return Numbers(static_cast<std::size_t>(count.value));
}

std::optional<std::vector<std::int64_t>> RuleContext::ints(std::size_t i) const {
  const auto all = numbers(i);
  if (!all) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const Number& n : *all) {
    if (!n.value) return std::nullopt;
    values.push_back(*n.value);
  }
  return values;
}

std::optional<Numbers> RuleContext::numbers(std::size_t i, std::string_view attr) const {
  if (has(i)) return numbers(i);
  if (!node_.has(attr)) return std::nullopt;
  try {
    return numbers_of(node_.attr_ints(attr));
  } catch (const Error&) {
    return numbers_of({node_.attr_int(attr)});
  }
}

void RuleContext::set(std::size_t i, Known known) {
  if (i < outputs_.size()) outputs_[i] = std::move(known);
}

void RuleContext::set_numbers(std::size_t i, Numbers numbers) {
  if (i >= outputs_.size() || !is_integer(outputs_[i].dtype)) return;
  if (static_cast<std::int64_t>(numbers.size()) <= most_numbers)
    outputs_[i].numbers = std::move(numbers);
}

Dim dim_of(std::int64_t length) { return {std::max<std::int64_t>(length, -1), {}}; }

Dim dim_of(const Number& number) {
  if (number.value) return dim_of(*number.value);
  return {-1, number.symbol};
}

Dims dims_of(const Numbers& numbers) {
  Dims dims;
  for (const Number& n : numbers) dims.push_back(dim_of(n));
  return dims;
}

Dims dims_of(const Shape& shape) {
  Dims dims;
  for (const std::int64_t length : shape) dims.push_back(dim_of(length));
  return dims;
}

Number number_of(const Dim& dim) {
  return {dim.known() ? std::optional(dim.value) : std::nullopt, dim.known() ? "" : dim.symbol,
          true};
}

bool same(const Dim& a, const Dim& b) {
  if (a.known() || b.known()) return a.value == b.value;
  return !a.symbol.empty() && a.symbol == b.symbol;
}

Dim either(const Dim& a, const Dim& b) {
  if (a.known()) return a;
  return b.known() || a.symbol.empty() ? b : a;
}

Dim common(const Dim& a, const Dim& b) { return same(a, b) ? a : Dim{}; }

Dim broadcast(const Dim& a, const Dim& b) {
  if (a.value == 1) return b;
  if (b.value == 1 || same(a, b)) return a;
  if (a.known() != b.known()) return a.known() ? a : b;  // the known one is not 1
  if (a.known())
    throw Error(Code::model,
                fmt::format("axes of {} and {} elements do not broadcast", a.value, b.value));
  return {};
}

Dim sum(const Dim& a, const Dim& b) {
  std::int64_t length = 0;
  if (a.known() && b.known())
    return __builtin_add_overflow(a.value, b.value, &length) ? Dim{} : dim_of(length);
  return a.value == 0 ? b : b.value == 0 ? a : Dim{};
}

Dim times(const Dim& a, std::int64_t factor) {
  if (factor == 1) return a;
  std::int64_t length = 0;
  const bool fits = a.known() && factor >= 0 && !__builtin_mul_overflow(a.value, factor, &length);
  return fits ? dim_of(length) : Dim{};
}

Dim divided(const Dim& a, std::int64_t by) {
  if (by == 1) return a;
  return a.known() && by > 0 && a.value % by == 0 ? dim_of(a.value / by) : Dim{};
}

Dim product(const Dims& dims, std::size_t first, std::size_t last) {
  Dim result = dim_of(1);
  for (std::size_t i = first; i < last; ++i) {
    const Dim& d = dims.at(i);
    if (result.value == 0 || d.value == 0)
      result = dim_of(0);
    else if (result.value == 1)
      result = d;
    else
      result = d.known() ? times(result, d.value) : Dim{};
  }
  return result;
}

std::optional<Dims> broadcast(const std::optional<Dims>& a, const std::optional<Dims>& b) {
  if (!a || !b) return std::nullopt;
  Dims result(std::max(a->size(), b->size()));
  for (std::size_t i = 1; i <= result.size(); ++i) {
    const Dim x = i <= a->size() ? a->end()[-static_cast<std::ptrdiff_t>(i)] : dim_of(1);
    const Dim y = i <= b->size() ? b->end()[-static_cast<std::ptrdiff_t>(i)] : dim_of(1);
    result[result.size() - i] = broadcast(x, y);
  }
  return result;
}

std::optional<Dims> common(const std::optional<Dims>& a, const std::optional<Dims>& b) {
  if (!a || !b || a->size() != b->size()) return std::nullopt;
  Dims result;
  for (std::size_t i = 0; i < a->size(); ++i) result.push_back(common((*a)[i], (*b)[i]));
  return result;
}

std::optional<Dims> matmul_dims(const std::optional<Dims>& a, const std::optional<Dims>& b) {
  if (!a || !b || a->empty() || b->empty()) return std::nullopt;
  const auto batch = [](const Dims& d) {
    return Dims(d.begin(), d.end() - std::min<std::ptrdiff_t>(2, std::ssize(d)));
  };
  const Dim &columns = a->back(), &rows = b->size() > 1 ? b->end()[-2] : b->back();
  if (columns.known() && rows.known() && columns.value != rows.value)
    throw Error(Code::model, fmt::format("matrices of shape {} and {} cannot be multiplied",
                                         to_string(*a), to_string(*b)));
  Dims result = *broadcast(std::optional(batch(*a)), std::optional(batch(*b)));
  if (a->size() > 1) result.push_back(a->end()[-2]);
  if (b->size() > 1) result.push_back(b->back());
  return result;
}

std::size_t axis_of(std::int64_t axis, const Dims& dims) {
  return static_cast<std::size_t>(normalized_axis(axis, std::ssize(dims)));
}

bool weaken(Known& given, const Known& made) {
  bool changed = false;
  if (given.dtype == DType::undefined && made.dtype != DType::undefined) {
    given.dtype = made.dtype;
    changed = true;
  }
  if (!given.dims) return changed;
  const auto kept = common(given.dims, made.dims);
  for (std::size_t i = 0; kept && i < kept->size(); ++i)
    changed |=
        (*kept)[i].value != (*given.dims)[i].value || (*kept)[i].symbol != (*given.dims)[i].symbol;
  changed |= !kept;
  given.dims = kept;
  return changed;
}

namespace rules {

void like(RuleContext& c) { c.set(0, c.dtype(0), c.dims(0)); }

void identity(RuleContext& c) { c.set(0, c.input(0)); }

void shaped(RuleContext& c, DType type) { c.set(0, type, c.dims(0)); }

namespace {

// Before opset 7, an operand that is aligned by an attribute takes the shape of the first.
std::optional<Dims> broadcast_all(const RuleContext& c) {
  if (c.node().domain().empty() && c.node().opset() < 7 && c.node().has("broadcast"))
    return c.dims(0);
  std::optional<Dims> result = c.dims(0);
  for (std::size_t i = 1; i < c.input_count(); ++i) result = intaglio::broadcast(result, c.dims(i));
  return result;
}

}  // namespace

void broadcast(RuleContext& c) {
  const DType type = c.dtype(0) != DType::undefined ? c.dtype(0) : c.dtype(1);
  c.set(0, type);
  c.set(0, type, broadcast_all(c));
}

void compare(RuleContext& c) {
  c.set(0, DType::boolean);
  c.set(0, DType::boolean, broadcast_all(c));
}

void elementwise(RuleContext& c, DType type, Number (*f)(const Number&, const Number&)) {
  c.set(0, type);
  c.set(0, type, broadcast_all(c));
  if (!c.result(0).dims || c.result(0).dims->size() > 1) return;
  const auto a = c.numbers(0), b = c.numbers(1);
  if (!a || !b || a->empty() || b->empty()) return;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return;
  Numbers result;
  for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i)
    result.push_back(
        f(a->size() == 1 ? a->front() : (*a)[i], b->size() == 1 ? b->front() : (*b)[i]));
  c.set_numbers(0, std::move(result));
}

std::optional<Dims> reduced(const Dims& x, const std::optional<Numbers>& axes, bool keep) {
  if (!axes) return keep ? std::optional(Dims(x.size())) : std::nullopt;
  const bool known =
      std::ranges::all_of(*axes, [](const Number& n) { return n.value.has_value(); });
  if (!known) return Dims(keep ? x.size() : x.size() - std::min(x.size(), axes->size()));
  std::vector<bool> gone(x.size(), false);
  for (const Number& n : *axes) gone[axis_of(*n.value, x)] = true;
  Dims result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!gone[i]) result.push_back(x[i]);
    if (gone[i] && keep) result.push_back(dim_of(1));
  }
  return result;
}

void reduce(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  const Dims& x = *c.dims(0);
  const bool keep = c.node().attr_int("keepdims", 1) != 0;
  auto axes = c.has(1, "axes") ? c.numbers(1, "axes") : std::optional(Numbers());
  if (axes && axes->empty() && c.node().attr_int("noop_with_empty_axes", 0) == 0)
    for (std::size_t i = 0; i < x.size(); ++i)
      axes->push_back({static_cast<std::int64_t>(i), {}, false});
  c.set(0, c.dtype(0), reduced(x, axes, keep));
}

namespace {

// The number of places of a window along each axis. An axis that is not known keeps its name where
// the window does not change its length, which a length that is large enough shows.
Dims windowed(const WindowAttrs& attrs, const Dims& input, const Shape& kernel) {
  constexpr std::int64_t probe = (std::int64_t{1} << 31) - 1;
  if (kernel.size() != input.size()) throw Error(Code::model, "the kernel is not known");
  Shape lengths;
  for (const Dim& d : input) lengths.push_back(d.known() ? d.value : probe);
  const Shape output = place_window(attrs, lengths, kernel).output;
  Dims result;
  for (std::size_t i = 0; i < input.size(); ++i)
    result.push_back(input[i].known() ? dim_of(output[i]) : output[i] == probe ? input[i] : Dim{});
  return result;
}

Dims spatial(const Dims& x) {
  if (x.size() < 2)
    throw Error(Code::model,
                "an input of shape " + to_string(x) + " has no axes of samples and channels");
  return Dims(x.begin() + 2, x.end());
}

}  // namespace

void convolve(RuleContext& c, DType type, std::size_t x, std::size_t w) {
  c.set(0, type);
  const auto &input = c.dims(x), &filters = c.dims(w);
  if (!input && !filters) return;
  Dims result(input ? input->size() : filters->size());
  if (input) result.at(0) = input->at(0);
  if (filters) result.at(1) = filters->at(0);
  c.set(0, type, result);
  if (!input) return;
  const WindowAttrs attrs = read_window(c.node());
  Shape kernel = attrs.kernel;
  if (filters && filters->size() == input->size()) {
    kernel.clear();
    for (const Dim& d : spatial(*filters)) kernel.push_back(d.value);
  }
  const Dims places = windowed(attrs, spatial(*input), kernel);
  std::ranges::copy(places, result.begin() + 2);
  c.set(0, type, result);
}

void convolution(RuleContext& c) { convolve(c, c.dtype(0), 0, 1); }

void pool(RuleContext& c) {
  for (std::size_t i = 0; i < c.result_count(); ++i)
    c.set(i, i == 0 ? c.dtype(0) : DType::s64,
          c.dims(0) ? std::optional(Dims(c.dims(0)->size())) : std::nullopt);
  if (!c.dims(0)) return;
  const WindowAttrs attrs = read_window(c.node());
  Dims result = *c.dims(0);
  const Dims places = windowed(attrs, spatial(result), attrs.kernel);
  std::ranges::copy(places, result.begin() + 2);
  for (std::size_t i = 0; i < c.result_count(); ++i) c.set(i, c.result(i).dtype, result);
}

void global_pool(RuleContext& c) {
  std::optional<Dims> result = c.dims(0);
  for (std::size_t i = 2; result && i < result->size(); ++i) (*result)[i] = dim_of(1);
  c.set(0, c.dtype(0), result);
}

void gemm(RuleContext& c, DType type, std::size_t a, std::size_t b) {
  const auto side = [&](std::size_t i, const char* transposed, std::size_t axis) {
    if (c.node().attr_int(transposed, 0) != 0) axis = 1 - axis;
    return c.dims(i) && c.dims(i)->size() == 2 ? (*c.dims(i))[axis] : Dim{};
  };
  c.set(0, type, Dims{side(a, "transA", 0), side(b, "transB", 1)});
  const Dim columns = side(a, "transA", 1), rows = side(b, "transB", 0);
  if (columns.known() && rows.known() && columns.value != rows.value)
    throw Error(Code::model,
                fmt::format("{} columns of the first matrix do not fit {} rows of the second",
                            columns.value, rows.value));
}

void some(RuleContext& c) {
  const bool along = c.node().has("axis");
  c.set(0, c.dtype(0), along ? std::nullopt : std::optional(Dims(1)));
  if (!along || !c.dims(0)) return;
  Dims dims = *c.dims(0);
  dims[axis_of(c.node().attr_int("axis"), dims)] = {};
  c.set(0, c.dtype(0), dims);
}

void recurrent(RuleContext& c) {
  const bool batch_first = c.node().attr_int("layout", 0) != 0;
  const DType type = c.dtype(0);
  const Dim directions =
      dim_of(c.node().attr_string("direction", "forward") == "bidirectional" ? 2 : 1);
  Dim hidden = dim_of(c.node().attr_int("hidden_size", -1));
  if (!hidden.known() && c.dims(2)) hidden = c.dims(2)->at(2);
  const bool known = c.dims(0) && c.dims(0)->size() == 3;
  const Dim length = known ? (*c.dims(0))[batch_first ? 1 : 0] : Dim{};
  const Dim batch = known ? (*c.dims(0))[batch_first ? 0 : 1] : Dim{};
  c.set(0, type,
        batch_first ? Dims{batch, length, directions, hidden}
                    : Dims{length, directions, batch, hidden});
  for (std::size_t i : {1, 2})
    c.set(i, type, batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden});
}

}  // namespace rules

}  // namespace intaglio
