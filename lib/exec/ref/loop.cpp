// Loop: inputs are the trip count and the condition, both optional, and the carried values; the
// body takes the iteration number, the condition and the carried values and makes the next
// condition, the next carried values and one slice of each scan output.
#include <fmt/format.h>

#include "lib/base/progress.h"
#include "lib/exec/nested.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/stack.h"

namespace intaglio {
namespace {

// Beyond this many iterations a loop is taken for one that never ends.
constexpr std::int64_t most_iterations = std::int64_t{1} << 31;

// A value that the body declares as a scalar or as a vector of one.
template <typename T>
Tensor as_declared(T value, const Value& feed) {
  const Tensor scalar = Tensor::scalar(value);
  return feed.rank() == 1 ? scalar.reshaped({1}) : scalar;
}

class Loop {
 public:
  explicit Loop(const Node& node) : body_(node, "body") {
    carried_ = node.inputs().size() < 2 ? 0 : node.inputs().size() - 2;
    if (body_.feeds().size() != 2 + carried_)
      throw Error(Code::model, fmt::format("the body has {} inputs, not {} and {} carried values",
                                           body_.feeds().size(), 2, carried_));
    if (body_.outputs().size() < 1 + carried_)
      throw Error(Code::model, fmt::format("the body has {} outputs for a condition and {} carried "
                                           "values",
                                           body_.outputs().size(), carried_));
  }

  void operator()(KernelContext& c) const {
    std::vector<Tensor> state;
    for (std::size_t i = 0; i < carried_; ++i) state.push_back(c.input(2 + i));
    std::vector<Stack> scans(body_.outputs().size() - 1 - carried_);
    iterate(c, state, scans);
    if (c.output_count() > carried_ + scans.size())
      throw Error(Code::model, "the node has more outputs than its body makes");
    for (std::size_t i = 0; i < c.output_count(); ++i)
      c.set_output(i, i < carried_ ? std::move(state[i])
                                   : scans[i - carried_].joined(*body_.outputs()[1 + i]));
  }

 private:
  void iterate(const KernelContext& c, std::vector<Tensor>& state,
               std::vector<Stack>& scans) const {
    // The node says what is omitted: captured values may stand at these places.
    const Tensor* trips = c.node().input(0) != nullptr ? c.optional(0) : nullptr;
    const Tensor* start = c.node().input(1) != nullptr ? c.optional(1) : nullptr;
    const std::int64_t count = trips != nullptr ? trips->item<std::int64_t>() : most_iterations + 1;
    bool go_on = start == nullptr || start->item<bool>();
    for (std::int64_t i = 0; i < count && go_on; ++i) {
      check_interrupt();
      if (i == most_iterations)
        throw Error(Code::model, fmt::format("not over after {} iterations", i),
                    "Check the trip count and the condition of the loop.");
      go_on = step(c, i, state, scans);
    }
  }

  // One iteration; whether there is a next one.
  bool step(const KernelContext& c, std::int64_t i, std::vector<Tensor>& state,
            std::vector<Stack>& scans) const {
    std::vector<Tensor> inputs = {as_declared(i, *body_.feeds()[0]),
                                  as_declared(true, *body_.feeds()[1])};
    for (Tensor& tensor : state) inputs.push_back(std::move(tensor));
    std::vector<Tensor> made = body_.run(c, std::move(inputs));
    for (std::size_t k = 0; k < carried_; ++k) state[k] = std::move(made[1 + k]);
    for (std::size_t k = 0; k < scans.size(); ++k) scans[k].push(made[1 + carried_ + k]);
    return made[0].item<bool>();
  }

  NestedGraph body_;
  std::size_t carried_ = 0;
};

std::unique_ptr<Kernel> make_loop(const Node& node) { return make_kernel(Loop(node)); }

// What is known of a carried value must hold before and after every iteration: what the body
// changes is given up, until nothing changes any more.
void infer_loop(RuleContext& c) {
  const std::size_t carried = c.input_count() < 2 ? 0 : c.input_count() - 2;
  std::vector<Known> state;
  for (std::size_t i = 0; i < carried; ++i)
    state.push_back({.dtype = c.dtype(2 + i), .dims = c.dims(2 + i)});
  std::vector<Known> made;
  for (bool changed = true; changed;) {
    std::vector<Known> inputs = {{.dtype = DType::s64, .dims = Dims{}},
                                 {.dtype = DType::boolean, .dims = Dims{}}};
    inputs.insert(inputs.end(), state.begin(), state.end());
    made = c.body("body", std::move(inputs));
    changed = false;
    for (std::size_t i = 0; i < carried; ++i) changed |= weaken(state[i], made.at(1 + i));
  }
  for (std::size_t i = 0; i < c.result_count(); ++i) {
    std::optional<Dims> dims = i < carried ? state[i].dims : made.at(1 + i).dims;
    if (i >= carried && dims) dims->insert(dims->begin(), Dim{});
    c.set(i,
          i < carried && state[i].dtype != DType::undefined ? state[i].dtype : made.at(1 + i).dtype,
          dims);
  }
}

}  // namespace

void register_loop(Registry& registry) {
  registry.add({.op = "Loop", .make = make_loop, .infer = infer_loop});
}

}  // namespace intaglio
