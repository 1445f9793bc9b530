// Operators by element: they take values as these are stored.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/tflite/op_table.h"

namespace intaglio::tflite {
namespace {

struct Simple {
  std::string_view onnx;
  fb::Op op;
};
constexpr std::array simple = {
    Simple{"Abs", fb::Op::ABS},     Simple{"Ceil", fb::Op::CEIL},
    Simple{"Cos", fb::Op::COS},     Simple{"Elu", fb::Op::ELU},
    Simple{"Exp", fb::Op::EXP},     Simple{"Floor", fb::Op::FLOOR},
    Simple{"Gelu", fb::Op::GELU},   Simple{"HardSwish", fb::Op::HARD_SWISH},
    Simple{"Log", fb::Op::LOG},     Simple{"Neg", fb::Op::NEG},
    Simple{"Round", fb::Op::ROUND}, Simple{"Sigmoid", fb::Op::LOGISTIC},
    Simple{"Sin", fb::Op::SIN},     Simple{"Sqrt", fb::Op::SQRT},
    Simple{"Tanh", fb::Op::TANH},   Simple{"Max", fb::Op::MAXIMUM},
    Simple{"Min", fb::Op::MINIMUM}, Simple{"Pow", fb::Op::POW},
};

fb::Op simple_op(const Node& node) {
  return std::ranges::find(simple, node.op(), &Simple::onnx)->op;
}

// The order of axes that most data has already: that of the first operand of full rank that is not
// stored as in ONNX.
Perm common_order(Site& site, std::size_t rank) {
  for (std::size_t i = 0; i < site.inputs(); ++i) {
    const Perm perm = site.in_order_of(i);
    if (perm.size() == rank && perm != in_order(rank)) return perm;
  }
  return in_order(rank);
}

template <typename Options>
void emit_arithmetic(Site& site, fb::Op op, std::vector<int> in, const Perm& perm) {
  Options options;
  options.activation = site.activation();
  site.emit(op, std::move(in), {site.out(0, perm)}, std::move(options));
}

int float_scalar(Site& site, float value) {
  return site.emitter().file().add_constant("float", Tensor::scalar(value));
}

// One of the operators that do a Clip or Relu alone; nullopt: none.
std::optional<fb::Op> relu_of(const Interval& b) {
  if (b.lo != 0) return std::nullopt;
  if (std::isinf(b.hi)) return fb::Op::RELU;
  return b.hi == 6 ? std::optional(fb::Op::RELU6) : std::nullopt;
}

void clip_floats(Site& site, const Interval& b) {
  const Stored x = site.emitter().stored(site.in_end(0));
  const bool low = std::isfinite(b.lo), high = std::isfinite(b.hi);
  if (!low && !high) return site.pass(0, x);
  const int out = site.out(0, x.perm);
  int from = x.tensor;
  if (low) {
    const Shape& shape = site.emitter().file().spec(out).shape;
    const int to = high ? site.emitter().like(out, shape, "_from_below") : out;
    site.emit(fb::Op::MAXIMUM, {from, float_scalar(site, b.lo)}, {to});
    from = to;
  }
  if (high) site.emit(fb::Op::MINIMUM, {from, float_scalar(site, b.hi)}, {out});
}

}  // namespace

void lower_binary(Site& site) {
  if (site.inputs() != 2)
    site.refuse(fmt::format("{} operands", site.inputs()),
                "Export the model with operators of two.");
  const Perm perm = common_order(site, site.out_shape(0).size());
  const std::vector<int> in = {site.in(0, perm), site.in(1, perm)};
  const FileBuilder& file = site.emitter().file();
  if (file.spec(in[0]).type != file.spec(in[1]).type)
    site.refuse("operands of two types", "Export the model with a Cast in front.");
  const Node& node = site.node();
  if (node.is("Add")) return emit_arithmetic<fb::AddOptionsT>(site, fb::Op::ADD, in, perm);
  if (node.is("Sub")) return emit_arithmetic<fb::SubOptionsT>(site, fb::Op::SUB, in, perm);
  if (node.is("Mul")) return emit_arithmetic<fb::MulOptionsT>(site, fb::Op::MUL, in, perm);
  if (node.is("Div")) return emit_arithmetic<fb::DivOptionsT>(site, fb::Op::DIV, in, perm);
  site.emit(simple_op(node), in, {site.out(0, perm)});
}

void lower_unary(Site& site) {
  if (site.node().attr_float("alpha", 1) != 1)
    site.refuse("TFLite has no alpha other than 1", "Rewrite the model.");
  const Perm perm = site.in_order_of(0);
  const int in = site.in(0, perm), out = site.out(0, perm);
  if (!site.node().is("Gelu")) return site.emit(simple_op(site.node()), {in}, {out});
  fb::GeluOptionsT options;
  options.approximate = site.node().attr_string("approximate", "none") == "tanh";
  site.emit(fb::Op::GELU, {in}, {out}, std::move(options));
}

void lower_leaky_relu(Site& site) {
  const Perm perm = site.in_order_of(0);
  fb::LeakyReluOptionsT options;
  options.alpha = site.node().attr_float("alpha", 0.01F);
  const int in = site.in(0, perm);
  site.emit(fb::Op::LEAKY_RELU, {in}, {site.out(0, perm)}, std::move(options));
}

void lower_prelu(Site& site) {
  const Perm perm = site.in_order_of(0);
  const int in = site.in(0, perm), slope = site.in(1, perm);
  site.emit(fb::Op::PRELU, {in, slope}, {site.out(0, perm)});
}

// On codes a Relu or Clip is, at most, a change of parameters and two bounds of codes.
void lower_clip(Site& site) {
  const Interval b = bounds_of(site.node());
  const Stored x = site.emitter().stored(site.in_end(0));
  const auto op = relu_of(b);
  if (op && (!site.integer() || site.in_params(0) != site.out_params(0))) {
    site.emit(*op, {x.tensor}, {site.out(0, x.perm)});
  } else if (site.integer()) {
    site.clip(b);
    site.pass(0, x);
  } else {
    clip_floats(site, b);
  }
}

void lower_softmax(Site& site) {
  const Shape shape = site.in_shape(0);
  const auto axis = static_cast<std::size_t>(
      normalized_axis(site.node().attr_int("axis", -1), static_cast<std::int64_t>(shape.size())));
  Perm perm = site.in_order_of(0);
  std::erase(perm, axis);
  perm.push_back(axis);
  const int in = site.in(0, perm);
  if (site.node().is("LogSoftmax"))
    return site.emit(fb::Op::LOG_SOFTMAX, {in}, {site.out(0, perm)});
  fb::SoftmaxOptionsT options;
  options.beta = 1;
  site.emit(fb::Op::SOFTMAX, {in}, {site.out(0, perm)}, std::move(options));
}

void lower_reciprocal(Site& site) {
  const Perm perm = site.in_order_of(0);
  const int in = site.in(0, perm);
  site.emit(fb::Op::DIV, {float_scalar(site, 1), in}, {site.out(0, perm)}, fb::DivOptionsT());
}

// max(0, min(1, alpha x + beta)), in float.
void lower_hard_sigmoid(Site& site) {
  const Perm perm = site.in_order_of(0);
  const int in = site.in(0, perm), out = site.out(0, perm);
  const Shape shape = site.emitter().file().spec(out).shape;
  const auto step = [&](fb::Op op, int from, float value, int to) {
    fb::MulOptionsT mul;
    fb::AddOptionsT add;
    const std::vector<int> inputs = {from, float_scalar(site, value)};
    if (op == fb::Op::MUL) return site.emit(op, inputs, {to}, std::move(mul));
    if (op == fb::Op::ADD) return site.emit(op, inputs, {to}, std::move(add));
    site.emit(op, inputs, {to});
  };
  const int scaled = site.emitter().like(out, shape, "_scaled");
  const int shifted = site.emitter().like(out, shape, "_shifted");
  const int bounded = site.emitter().like(out, shape, "_from_below");
  step(fb::Op::MUL, in, site.node().attr_float("alpha", 0.2F), scaled);
  step(fb::Op::ADD, scaled, site.node().attr_float("beta", 0.5F), shifted);
  step(fb::Op::MAXIMUM, shifted, 0, bounded);
  step(fb::Op::MINIMUM, bounded, 1, out);
}

}  // namespace intaglio::tflite
