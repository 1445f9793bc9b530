#include "lib/exec/ops/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "lib/exec/ops/float_io.h"

namespace intaglio {
namespace {

struct ActivationDef {
  std::string_view name;
  int parameters;     // how many of alpha and beta it has
  float alpha, beta;  // defaults
  float (*apply)(float x, float alpha, float beta);
};

constexpr ActivationDef definitions[] = {
    {"relu", 0, 0, 0, [](float x, float, float) { return std::max(x, 0.0f); }},
    {"tanh", 0, 0, 0, [](float x, float, float) { return std::tanh(x); }},
    {"sigmoid", 0, 0, 0, [](float x, float, float) { return 1 / (1 + std::exp(-x)); }},
    {"softsign", 0, 0, 0, [](float x, float, float) { return x / (1 + std::abs(x)); }},
    {"softplus", 0, 0, 0,
     [](float x, float, float) { return std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x))); }},
    {"leakyrelu", 1, 0.01f, 0, [](float x, float a, float) { return x < 0 ? a * x : x; }},
    {"thresholdedrelu", 1, 1, 0, [](float x, float a, float) { return x > a ? x : 0.0f; }},
    {"elu", 1, 1, 0, [](float x, float a, float) { return x < 0 ? a * std::expm1(x) : x; }},
    {"affine", 2, 1, 0, [](float x, float a, float b) { return a * x + b; }},
    {"scaledtanh", 2, 1, 1, [](float x, float a, float b) { return a * std::tanh(b * x); }},
    {"hardsigmoid", 2, 0.2f, 0.5f,
     [](float x, float a, float b) { return std::clamp(a * x + b, 0.0f, 1.0f); }},
};

// Takes the next value of a list that activations consume in order.
float next(const std::vector<float>& list, std::size_t& at, float fallback) {
  return at < list.size() ? list[at++] : fallback;
}

std::vector<Activation> read_activations(const Node& node, std::vector<std::string> names) {
  const auto alphas = node.attr_floats("activation_alpha"),
             betas = node.attr_floats("activation_beta");
  const float clip = node.attr_float("clip", 0.0f);
  std::size_t alpha_at = 0, beta_at = 0;
  std::vector<Activation> result;
  for (std::string& name : names) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto* def = std::ranges::find(definitions, name, &ActivationDef::name);
    if (def == std::end(definitions))
      throw Error(Code::model, fmt::format("activation '{}' is not defined", name));
    const float a = def->parameters > 0 ? next(alphas, alpha_at, def->alpha) : 0.0f;
    const float b = def->parameters > 1 ? next(betas, beta_at, def->beta) : 0.0f;
    const auto apply = def->apply;
    // The third activation of a direction, LSTM's, takes the cell state: onnxruntime clips what
    // goes into the gates only.
    const bool of_gate = result.size() % 3 != 2 || !node.op().ends_with("LSTM");
    if (clip > 0 && of_gate) {
      result.push_back([=](float x) { return apply(std::clamp(x, -clip, clip), a, b); });
    } else {
      result.push_back([=](float x) { return apply(x, a, b); });
    }
  }
  return result;
}

// An optional f32 input that must have the given shape; an undefined tensor when it is absent.
Tensor shaped(const KernelContext& context, std::size_t i, const Shape& shape) {
  const Tensor* tensor = context.optional(i);
  if (tensor == nullptr) return {};
  if (tensor->shape() != shape)
    throw Error(Code::model, fmt::format("input {} of shape {} is not {}", i,
                                         to_string(tensor->shape()), to_string(shape)));
  return as_float(*tensor);
}

void add_rows(Tensor& matrix, const float* bias) {
  if (bias == nullptr) return;
  float* values = matrix.mutate<float>().data();
  for (std::int64_t i = 0; i < matrix.dim(0); ++i)
    for (std::int64_t j = 0; j < matrix.dim(1); ++j) *values++ += bias[j];
}

Tensor product_of(const float* rows, std::int64_t count, const PackedRight& weights) {
  Tensor result(DType::f32, {count, weights.columns()});
  gemm(PackedLeft({rows, count, weights.depth(), weights.depth(), 1}), weights,
       {.c = result.mutate<float>().data(), .ldc = weights.columns()});
  return result;
}

const float* part(const Tensor& tensor, std::int64_t offset) {
  return tensor.defined() ? tensor.data<float>().data() + offset : nullptr;
}

Tensor zeros(Shape shape) {
  Tensor result(DType::f32, std::move(shape));
  std::ranges::fill(result.mutate<float>(), 0.0f);
  return result;
}

// Those of float weights (rows of the matrix are its results).
MakeProduct float_products(const Tensor& w, const Tensor& r) {
  return [&w, &r](std::size_t input, std::int64_t d, std::int64_t width) -> RowProduct {
    const Tensor& weights = input == 1 ? w : r;
    const std::int64_t rows = weights.dim(1);
    auto packed = std::make_shared<const PackedRight>(
        MatrixRef{part(weights, d * rows * width), width, rows, 1, width});
    return [packed](const float* x, std::int64_t count) { return product_of(x, count, *packed); };
  };
}

}  // namespace

Recurrence::Recurrence(const Node& node, std::int64_t gates, std::vector<std::string> activations)
    : gates_(gates), hidden_(node.attr_int("hidden_size", 0)) {
  const std::string direction = node.attr_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    throw Error(Code::model, fmt::format("direction '{}' is not defined", direction));
  directions_ = direction == "bidirectional" ? 2 : 1;
  reverse_only_ = direction == "reverse";
  batch_first_ = node.attr_int("layout", 0) != 0;
  const std::size_t count = activations.size(),
                    total = count * static_cast<std::size_t>(directions_);
  std::vector<std::string> names = node.attr_strings("activations");
  if (names.empty())
    for (std::size_t i = 0; i < total; ++i) names.push_back(activations[i % count]);
  if (names.size() != total)
    throw Error(Code::model, fmt::format("{} activations, {} are needed", names.size(), total));
  const auto all = read_activations(node, names);
  for (auto first = all.begin(); first != all.end(); first += static_cast<std::ptrdiff_t>(count))
    activations_.emplace_back(first, first + static_cast<std::ptrdiff_t>(count));
}

struct Recurrence::Problem {
  std::int64_t steps, batch, width, hidden;
  Tensor x, w, r, bias, peepholes;    // w, r and x are there; the others may be undefined
  std::vector<std::int64_t> lengths;  // by sample
  Tensor y, h, c;                     // results; h and c start as the initial states
};

Recurrence::Problem Recurrence::read(const KernelContext& context, bool float_weights) const {
  Problem p;
  p.x = as_float(context.input(0));
  if (p.x.rank() != 3 || context.input(2).rank() != 3)
    throw Error(Code::model,
                fmt::format("input {} and weights {} are not of rank 3", to_string(p.x.shape()),
                            to_string(context.input(2).shape())));
  p.steps = p.x.dim(batch_first_ ? 1 : 0);
  p.batch = p.x.dim(batch_first_ ? 0 : 1);
  p.width = p.x.dim(2);
  p.hidden = hidden_ > 0 ? hidden_ : context.input(2).dim(2);
  const std::int64_t rows = gates_ * p.hidden, dirs = directions_;
  const Shape state =
      batch_first_ ? Shape{p.batch, dirs, p.hidden} : Shape{dirs, p.batch, p.hidden};
  if (float_weights) {
    p.w = shaped(context, 1, {dirs, rows, p.width});
    p.r = shaped(context, 2, {dirs, rows, p.hidden});
    if (!p.w.defined()) throw Error(Code::model, "the weights are missing");
  }
  p.bias = shaped(context, 3, {dirs, 2 * rows});
  p.h = shaped(context, 5, state);
  p.c = shaped(context, 6, state);
  p.peepholes = shaped(context, 7, {dirs, 3 * p.hidden});
  if (!p.h.defined()) p.h = zeros(state);
  if (!p.c.defined()) p.c = zeros(state);
  p.y = zeros(batch_first_ ? Shape{p.batch, p.steps, dirs, p.hidden}
                           : Shape{p.steps, dirs, p.batch, p.hidden});
  p.lengths.assign(static_cast<std::size_t>(p.batch), p.steps);
  if (const Tensor* given = context.optional(4)) p.lengths = given->to_vector<std::int64_t>();
  if (static_cast<std::int64_t>(p.lengths.size()) != p.batch ||
      std::ranges::any_of(p.lengths, [&](std::int64_t n) { return n < 0 || n > p.steps; }))
    throw Error(Code::model,
                fmt::format("sequence_lens do not fit {} samples of {} steps", p.batch, p.steps));
  return p;
}

void Recurrence::run_direction(Problem& p, std::int64_t d, const MakeCell& make_cell,
                               const MakeProduct& make_product) const {
  const std::int64_t rows = gates_ * p.hidden;
  const std::int64_t last =
      p.lengths.empty() ? 0 : *std::max_element(p.lengths.begin(), p.lengths.end());
  // Samples come first: steps beyond the longest one lie between them.
  const std::int64_t read = batch_first_ ? p.steps : last;
  Tensor inputs = make_product(1, d, p.width)(part(p.x, 0), read * p.batch);
  add_rows(inputs, part(p.bias, d * 2 * rows));
  const Cell cell =
      make_cell({activations_[static_cast<std::size_t>(d)], part(p.r, d * rows * p.hidden),
                 part(p.bias, d * 2 * rows + rows), part(p.peepholes, d * 3 * p.hidden)},
                p.hidden);
  const RowProduct recurrent = make_product(2, d, p.hidden);
  for (std::int64_t s = 0; s < last; ++s) step(p, d, s, part(inputs, 0), recurrent, cell);
}

void Recurrence::step(Problem& p, std::int64_t d, std::int64_t s, const float* inputs,
                      const RowProduct& recurrent, const Cell& cell) const {
  const std::int64_t rows = gates_ * p.hidden;
  const bool backwards = reverse_only_ || d == 1;
  float *y = p.y.mutate<float>().data(), *h = p.h.mutate<float>().data(),
        *c = p.c.mutate<float>().data();
  const auto state_of = [&](std::int64_t n) {
    return (batch_first_ ? n * directions_ + d : d * p.batch + n) * p.hidden;
  };
  std::vector<std::int64_t> running;
  for (std::int64_t n = 0; n < p.batch; ++n)
    if (s < p.lengths[static_cast<std::size_t>(n)]) running.push_back(n);
  std::vector<float> states;
  for (const std::int64_t n : running)
    states.insert(states.end(), h + state_of(n), h + state_of(n) + p.hidden);
  Tensor products = recurrent(states.data(), static_cast<std::int64_t>(running.size()));
  add_rows(products, part(p.bias, d * 2 * rows + rows));
  const float* product = products.data<float>().data();
  for (const std::int64_t n : running) {
    const std::int64_t t = backwards ? p.lengths[static_cast<std::size_t>(n)] - 1 - s : s;
    const std::int64_t from = batch_first_ ? n * p.steps + t : t * p.batch + n;
    const std::int64_t to =
        batch_first_ ? from * directions_ + d : (t * directions_ + d) * p.batch + n;
    float* state = h + state_of(n);
    cell({p.hidden, inputs + from * rows, product, state, c + state_of(n)});
    std::copy_n(state, p.hidden, y + to * p.hidden);
    product += rows;
  }
}

void Recurrence::run(KernelContext& context, const MakeCell& make_cell,
                     const MakeProduct& make_product) const {
  const DType type = context.input(0).dtype();
  Problem p = read(context, /*float_weights=*/!make_product);
  for (std::int64_t d = 0; d < directions_; ++d)
    run_direction(p, d, make_cell, make_product ? make_product : float_products(p.w, p.r));
  set_float_output(context, 0, std::move(p.y), type);
  if (context.output_count() > 1) set_float_output(context, 1, std::move(p.h), type);
  if (context.output_count() > 2) set_float_output(context, 2, std::move(p.c), type);
}

}  // namespace intaglio
