// Scan: runs its body once for each slice of the scan inputs, with state carried along.
// Opset 8 has a batch axis in front of everything and optional sequence lengths; opset 9 lets every
// scan input and output have its own axis and direction.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "lib/base/progress.h"
#include "lib/exec/arguments.h"
#include "lib/exec/nested.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/stack.h"

namespace intaglio {
namespace {

// A list of the node with one entry per scan input or output; empty: all 0.
std::vector<std::int64_t> per_value(const Node& node, std::string_view attr, std::size_t count) {
  std::vector<std::int64_t> list = node.attr_ints(attr);
  if (list.empty()) list.resize(count, 0);
  if (list.size() != count)
    throw Error(Code::model,
                fmt::format("{} has {} entries for {} values", attr, list.size(), count));
  return list;
}

struct Scan {
  explicit Scan(const Node& node)
      : body(node, "body"), scanned(static_cast<std::size_t>(node.attr_int("num_scan_inputs"))) {
    if (scanned < 1 || scanned > body.feeds().size() ||
        body.outputs().size() < body.feeds().size() - scanned)
      throw Error(Code::model, fmt::format("num_scan_inputs is {}, the body has {} inputs and {} "
                                           "outputs",
                                           scanned, body.feeds().size(), body.outputs().size()));
    carried = body.feeds().size() - scanned;
    const std::size_t stacked = body.outputs().size() - carried;
    input_axes = per_value(node, "scan_input_axes", scanned);
    output_axes = per_value(node, "scan_output_axes", stacked);
    backward = per_value(node, node.opset() < 9 ? "directions" : "scan_input_directions", scanned);
    output_backward = per_value(node, "scan_output_directions", stacked);
  }

  // The length that all scan inputs have along their axes.
  std::int64_t length_of(std::span<const Tensor> inputs) const {
    std::int64_t length = -1;
    for (std::size_t k = 0; k < scanned; ++k) {
      const Tensor& x = inputs[carried + k];
      const auto axis = static_cast<std::size_t>(normalized_axis(input_axes[k], x.rank()));
      if (length >= 0 && x.dim(axis) != length)
        throw Error(Code::model,
                    fmt::format("scan inputs of lengths {} and {}", length, x.dim(axis)));
      length = x.dim(axis);
    }
    return length;
  }

  // inputs: the state, then what is scanned. Returns the last state; the stacks grow.
  std::vector<Tensor> run(const KernelContext& c, std::span<const Tensor> inputs,
                          std::int64_t length, std::vector<Stack>& stacks) const {
    std::vector<Tensor> state(inputs.begin(),
                              inputs.begin() + static_cast<std::ptrdiff_t>(carried));
    for (std::int64_t i = 0; i < length; ++i) {
      check_interrupt();
      std::vector<Tensor> feeds = std::move(state);
      for (std::size_t k = 0; k < scanned; ++k) {
        const Tensor& x = inputs[carried + k];
        feeds.push_back(slice_at(x, normalized_axis(input_axes[k], x.rank()),
                                 backward[k] != 0 ? length - 1 - i : i));
      }
      std::vector<Tensor> made = body.run(c, std::move(feeds));
      state.assign(std::make_move_iterator(made.begin()),
                   std::make_move_iterator(made.begin() + static_cast<std::ptrdiff_t>(carried)));
      for (std::size_t k = 0; k < stacks.size(); ++k) stacks[k].push(made[carried + k]);
    }
    return state;
  }

  Tensor joined(const Stack& stack, std::size_t k) const {
    return stack.joined(*body.outputs()[carried + k], output_axes[k], output_backward[k] != 0);
  }

  NestedGraph body;
  std::size_t scanned, carried = 0;
  std::vector<std::int64_t> input_axes, output_axes, backward, output_backward;
};

std::vector<Tensor> own_inputs(const KernelContext& c, std::size_t first, std::size_t count) {
  if (c.node().inputs().size() != first + count)
    throw Error(Code::model, fmt::format("{} inputs for a body with {}",
                                         c.node().inputs().size() - first, count));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.push_back(c.input(first + i));
  return inputs;
}

void set_outputs(KernelContext& c, std::vector<Tensor> results) {
  if (c.output_count() > results.size())
    throw Error(Code::model, "the node has more outputs than its body makes");
  for (std::size_t i = 0; i < c.output_count(); ++i) c.set_output(i, std::move(results[i]));
}

std::unique_ptr<Kernel> make_scan(const Node& node) {
  return make_kernel([scan = Scan(node)](KernelContext& c) {
    const auto inputs = own_inputs(c, 0, scan.carried + scan.scanned);
    std::vector<Stack> stacks(scan.output_axes.size());
    std::vector<Tensor> results = scan.run(c, inputs, scan.length_of(inputs), stacks);
    for (std::size_t k = 0; k < stacks.size(); ++k) results.push_back(scan.joined(stacks[k], k));
    set_outputs(c, std::move(results));
  });
}

// The batch axis, in front of every input, and the length of each sequence.
std::vector<std::int64_t> sequence_lengths(const KernelContext& c, const Scan& scan,
                                           std::span<const Tensor> inputs) {
  for (const Tensor& x : inputs)
    if (x.rank() < 1 || x.dim(0) != inputs[0].dim(0))
      throw Error(Code::model, "the inputs differ in their batch axis");
  const Tensor& scanned = inputs[scan.carried];
  const std::int64_t batch = scanned.dim(0), whole = scanned.rank() < 2 ? 0 : scanned.dim(1);
  if (c.node().input(0) == nullptr)
    return std::vector<std::int64_t>(static_cast<std::size_t>(batch), whole);
  const auto lengths = c.input(0).to_vector<std::int64_t>();
  if (static_cast<std::int64_t>(lengths.size()) != batch)
    throw Error(Code::model, "sequence_lens does not have one entry per sample");
  for (const std::int64_t length : lengths)
    if (length < 0 || length > whole)
      throw Error(Code::model, fmt::format("a sequence of {} of {} steps", length, whole));
  return lengths;
}

// The tensor with zeros behind it along its first axis.
Tensor filled_up(const Tensor& tensor, std::int64_t length) {
  Shape shape = tensor.shape();
  shape[0] = length;
  Tensor result(tensor.dtype(), std::move(shape));
  std::byte* to = result.raw_mutate();
  std::fill(std::copy_n(tensor.raw(), tensor.bytes(), to), to + result.bytes(), std::byte{0});
  return result;
}

// The sequence of each sample is a scan of its own; shorter ones are filled up with zeros.
std::unique_ptr<Kernel> make_batched_scan(const Node& node) {
  return make_kernel([scan = Scan(node)](KernelContext& c) {
    const auto inputs = own_inputs(c, 1, scan.carried + scan.scanned);
    const auto lengths = sequence_lengths(c, scan, inputs);
    std::vector<Stack> batches(scan.body.outputs().size());
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      std::vector<Tensor> sample;
      for (const Tensor& x : inputs) sample.push_back(slice_at(x, 0, static_cast<std::int64_t>(b)));
      const std::int64_t whole = scan.length_of(sample);
      std::vector<Stack> stacks(scan.output_axes.size());
      const auto state = scan.run(c, sample, lengths[b], stacks);
      for (std::size_t k = 0; k < state.size(); ++k) batches[k].push(state[k]);
      for (std::size_t k = 0; k < stacks.size(); ++k)
        batches[scan.carried + k].push(filled_up(scan.joined(stacks[k], k), whole));
    }
    std::vector<Tensor> results;
    for (std::size_t k = 0; k < batches.size(); ++k)
      results.push_back(batches[k].joined(*scan.body.outputs()[k]));
    set_outputs(c, std::move(results));
  });
}

// first: of the inputs that the body sees; batched: all have a batch axis in front.
void infer_any_scan(RuleContext& c, std::size_t first, bool batched) {
  const auto scanned = static_cast<std::size_t>(c.node().attr_int("num_scan_inputs"));
  if (scanned < 1 || scanned + first > c.input_count()) return;
  const std::size_t carried = c.input_count() - first - scanned;
  const auto along = [&](const char* attr, std::size_t i) {
    const auto list = c.node().attr_ints(attr);
    return i < list.size() ? list[i] : 0;
  };
  const auto without_batch = [&](std::optional<Dims> dims) {
    if (batched && dims && !dims->empty()) dims->erase(dims->begin());
    return dims;
  };
  std::vector<Known> state, slices;
  Dim length, batch;
  for (std::size_t i = 0; i < carried; ++i)
    state.push_back({.dtype = c.dtype(first + i), .dims = without_batch(c.dims(first + i))});
  for (std::size_t i = 0; i < scanned; ++i) {
    const std::size_t at = first + carried + i;
    std::optional<Dims> dims = without_batch(c.dims(at));
    if (dims) {
      const std::size_t axis = axis_of(along("scan_input_axes", i), *dims);
      length = either(length, (*dims)[axis]);
      dims->erase(dims->begin() + static_cast<std::ptrdiff_t>(axis));
    }
    if (batched && c.dims(at)) batch = either(batch, c.dims(at)->at(0));
    slices.push_back({.dtype = c.dtype(at), .dims = std::move(dims)});
  }
  std::vector<Known> made;
  for (bool changed = true; changed;) {
    std::vector<Known> inputs = state;
    inputs.insert(inputs.end(), slices.begin(), slices.end());
    made = c.body("body", std::move(inputs));
    changed = false;
    for (std::size_t i = 0; i < carried; ++i) changed |= weaken(state[i], made.at(i));
  }
  for (std::size_t i = 0; i < std::min(c.result_count(), made.size()); ++i) {
    std::optional<Dims> dims = i < carried ? state[i].dims : made[i].dims;
    if (i >= carried && dims) {
      const auto axis = along("scan_output_axes", i - carried);
      dims->insert(dims->begin() + normalized_axis(axis, std::ssize(*dims) + 1), length);
    }
    if (batched && dims) dims->insert(dims->begin(), batch);
    c.set(i, i < carried && state[i].dtype != DType::undefined ? state[i].dtype : made[i].dtype,
          dims);
  }
}

void infer_batched_scan(RuleContext& c) { infer_any_scan(c, 1, true); }
void infer_scan(RuleContext& c) { infer_any_scan(c, 0, false); }

}  // namespace

void register_scan(Registry& registry) {
  registry.add({.op = "Scan", .since = 8, .make = make_batched_scan, .infer = infer_batched_scan});
  registry.add({.op = "Scan", .since = 9, .make = make_scan, .infer = infer_scan});
}

}  // namespace intaglio
