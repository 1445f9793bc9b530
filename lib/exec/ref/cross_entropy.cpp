// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss (opset 12): how badly scores [N,C,...]
// predict the classes [N,...]. Networks that report their loss contain them.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct LossOptions {
  std::string reduction;
  std::optional<std::int64_t> ignored;  // a class that counts nothing
};

LossOptions read_loss(const Node& node) {
  LossOptions options{node.attr_string("reduction", "mean"), {}};
  if (node.has("ignore_index")) options.ignored = node.attr_int("ignore_index");
  if (options.reduction != "mean" && options.reduction != "sum" && options.reduction != "none")
    throw Error(Code::model, fmt::format("reduction '{}' is not defined", options.reduction));
  return options;
}

// log(softmax) along axis 1, in double.
Tensor log_softmax(const Tensor& scores) {
  const AxisView view(scores.shape(), 1);
  Tensor result(DType::f64, scores.shape());
  const double* x = scores.data<double>().data();
  double* y = result.mutate<double>().data();
  for (std::int64_t o = 0; view.length > 0 && o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const std::int64_t first = o * view.length * view.inner + i;
      double largest = -INFINITY, sum = 0;
      for (std::int64_t k = 0; k < view.length; ++k)
        largest = std::max(largest, x[first + k * view.inner]);
      for (std::int64_t k = 0; k < view.length; ++k)
        sum += std::exp(x[first + k * view.inner] - largest);
      for (std::int64_t k = 0; k < view.length; ++k)
        y[first + k * view.inner] = x[first + k * view.inner] - largest - std::log(sum);
    }
  return result;
}

// The loss of every place, and the sum of the weights, by which a mean is divided.
std::pair<Tensor, double> losses(const Tensor& logs, const Tensor& classes, const Tensor* weights,
                                 const LossOptions& options) {
  Shape expected = logs.shape();
  expected.erase(expected.begin() + 1);
  if (classes.shape() != expected)
    throw Error(Code::model, fmt::format("classes of shape {} for scores of shape {}",
                                         to_string(classes.shape()), to_string(logs.shape())));
  const AxisView view(logs.shape(), 1);
  const auto factors = weights != nullptr ? weights->to_vector<double>() : std::vector<double>();
  if (weights != nullptr && static_cast<std::int64_t>(factors.size()) != view.length)
    throw Error(Code::model, fmt::format("{} weights for {} classes", factors.size(), view.length));
  Tensor loss(DType::f64, expected);
  const auto wanted = classes.to_vector<std::int64_t>();
  double total = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    double& value = loss.mutate<double>()[i] = 0;
    if (wanted[i] == options.ignored) continue;
    if (wanted[i] < 0 || wanted[i] >= view.length)
      throw Error(Code::model, fmt::format("class {} of {}", wanted[i], view.length));
    const auto k = static_cast<std::size_t>(wanted[i]);
    const std::int64_t at = static_cast<std::int64_t>(i) / view.inner * view.length * view.inner +
                            static_cast<std::int64_t>(k) * view.inner +
                            static_cast<std::int64_t>(i) % view.inner;
    const double weight = factors.empty() ? 1 : factors[k];
    value = -weight * logs.data<double>()[static_cast<std::size_t>(at)];
    total += weight;
  }
  return {loss, total};
}

Tensor reduced(const Tensor& loss, double weights, const std::string& reduction) {
  if (reduction == "none") return loss;
  double sum = 0;
  for (const double value : loss.data<double>()) sum += value;
  return Tensor::scalar(reduction == "mean" ? sum / weights : sum);
}

template <bool softmax>
std::unique_ptr<Kernel> make_loss(const Node& node) {
  return make_kernel([options = read_loss(node)](KernelContext& c) {
    Tensor logs = as_precise<double>(c.input(0));
    if (logs.rank() < 2)
      throw Error(Code::model, "scores of shape " + to_string(logs.shape()) + " have no classes");
    if (softmax) logs = log_softmax(logs);
    const auto [loss, weights] = losses(logs, c.input(1), c.optional(2), options);
    set_float_output(c, 0, reduced(loss, weights, options.reduction), c.input(0).dtype());
    if (softmax && c.output_count() > 1)
      set_float_output(c, 1, std::move(logs), c.input(0).dtype());
  });
}

// The losses, reduced or one for each target, and the logarithms of the probabilities.
void infer_loss(RuleContext& c) {
  const bool each = c.node().attr_string("reduction", "mean") == "none";
  c.set(0, c.dtype(0), each ? c.dims(1) : Dims{});
  c.set(1, c.dtype(0), c.dims(0));
}

}  // namespace

void register_cross_entropy(Registry& registry) {
  registry.add({.op = "NegativeLogLikelihoodLoss",
                .since = 12,
                .make = make_loss<false>,
                .infer = infer_loss});
  registry.add(
      {.op = "SoftmaxCrossEntropyLoss", .since = 12, .make = make_loss<true>, .infer = infer_loss});
}

}  // namespace intaglio
