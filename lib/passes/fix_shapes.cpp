#include "lib/passes/fix_shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/exec/infer.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

// More elements has no shape: what is larger stays as it is stored.
constexpr std::int64_t most_elements_of_a_shape = 64;

[[noreturn]] void refuse(const std::string& input, const std::string& reason) {
  throw Error(Code::usage, fmt::format("`shape {}`: {}", input, reason),
              "Give a length for each axis of an input, as in `shape NAME=1x3x224x224`; 'intaglio "
              "inspect MODEL' lists the inputs.");
}

class Fixer {
 public:
  Fixer(const Graph& graph, const ShapeRequest& request) : request_(request) {
    for (const Value* feed : graph.feeds()) feeds_[feed->name()] = feed;
    for (const auto& [name, shape] : request.shapes) learn(name, shape);
    if (request.batch)
      for (const Value* feed : graph.feeds())
        if (feed->dims() && !feed->dims()->empty() && !request.shapes.contains(feed->name()))
          name(feed->dims()->front(), *request.batch);
    for (const Value* feed : graph.feeds()) fix(*feed);
  }

  Dims with_names(Dims dims) const {
    for (Dim& dim : dims)
      if (const auto it = names_.find(dim.symbol); !dim.known() && it != names_.end())
        dim = {it->second, {}};
    return dims;
  }

  std::vector<FixedShape> take() { return std::move(fixed_); }

 private:
  // The first length that an axis of this name gets stays.
  void name(const Dim& dim, std::int64_t length) {
    if (!dim.known() && !dim.symbol.empty()) names_.try_emplace(dim.symbol, length);
  }

  // The lengths that a shape gives to named axes; refuses one that the input cannot have.
  void learn(const std::string& input, const Shape& shape) {
    const auto it = feeds_.find(input);
    if (it == feeds_.end()) refuse(input, "the model has no such input");
    const auto& dims = it->second->dims();
    if (!dims) return;
    if (dims->size() != shape.size())
      refuse(input, fmt::format("has {} lengths, the input {}", shape.size(), to_string(*dims)));
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const Dim& dim = (*dims)[axis];
      if (dim.known() && dim.value != shape[axis])
        refuse(input, fmt::format("{} for axis {} of {}", shape[axis], axis, to_string(*dims)));
      name(dim, shape[axis]);
      if (const auto named = names_.find(dim.symbol);
          !dim.known() && named != names_.end() && named->second != shape[axis])
        refuse(input, fmt::format("'{}' is {} elsewhere", dim.symbol, named->second));
    }
  }

  void fix(const Value& feed) {
    const auto asked = request_.shapes.find(feed.name());
    Dims after;
    if (asked != request_.shapes.end())
      for (const std::int64_t length : asked->second) after.push_back({length, {}});
    else if (feed.dims())
      after = with_batch(with_names(*feed.dims()));
    else
      return;
    const Dims before = feed.dims().value_or(Dims{});
    if (to_string(before) != to_string(after) || !feed.dims())
      fixed_.push_back({feed.name(), before, std::move(after)});
  }

  Dims with_batch(Dims dims) const {
    if (request_.batch && !dims.empty() && !dims.front().known())
      dims.front() = {*request_.batch, {}};
    return dims;
  }

  const ShapeRequest& request_;
  std::map<std::string, const Value*> feeds_;
  std::map<std::string, std::int64_t> names_;  // lengths of named axes
  std::vector<FixedShape> fixed_;
};

// Inner values forget what was not a number, so that it follows from the inputs; what does not
// follow is put back.
void renew_types(Model& model, const Fixer& fixer) {
  std::vector<std::pair<Value*, Dims>> open;
  for (Graph* graph : all_graphs(model))
    for (Value* value : graph->values()) {
      if (value->is_feed() || value->is_constant() || !value->dims() || all_known(*value->dims()))
        continue;
      const Dims dims = fixer.with_names(*value->dims());
      open.emplace_back(value, dims);
      value->set_type(value->dtype(), all_known(dims) ? std::optional(dims) : std::nullopt);
    }
  infer_types(model);
  for (auto& [value, dims] : open)
    if (!value->dims()) value->set_type(value->dtype(), std::move(dims));
}

}  // namespace

bool all_known(const Dims& dims) { return std::ranges::all_of(dims, &Dim::known); }

std::vector<FixedShape> fixed_shapes(const Graph& graph, const ShapeRequest& request) {
  return Fixer(graph, request).take();
}

std::vector<FixedShape> fix_shapes(Model& model, const ShapeRequest& request) {
  Fixer fixer(model.graph(), request);
  std::vector<FixedShape> fixed = fixer.take();
  for (const FixedShape& f : fixed) {
    Value& feed = *model.graph().find(f.input);
    feed.set_type(feed.dtype(), f.after);
  }
  if (fixed.empty()) return fixed;
  renew_types(model, fixer);
  while (fold_constants(model, {.most_elements = most_elements_of_a_shape}) > 0) infer_types(model);
  drop_dead(model, {});
  model.graph().verify();
  return fixed;
}

}  // namespace intaglio
