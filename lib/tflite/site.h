// One node while it becomes operators of the file: what a row of the table in op_table.cpp is given.
//
// Its function asks for the inputs in the order of axes that the operator wants, says in which
// order the results come out, and emits. What is the same for all operators happens here: an
// activation that the operator does not do itself, and results whose codes have other parameters
// than the operator makes.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "lib/tflite/emitter.h"

namespace intaglio::tflite {

class Site {
 public:
  Site(Emitter& emitter, const Group& group) : emitter_(emitter), group_(group) {}

  Emitter& emitter() { return emitter_; }
  const Node& node() const { return *group_.node; }
  bool integer() const { return group_.integer; }
  std::size_t inputs() const { return group_.inputs.size(); }
  std::size_t outputs() const { return group_.outputs.size(); }
  bool has_input(std::size_t i) const;

  Shape in_shape(std::size_t i) const;  // in the order of ONNX
  Shape out_shape(std::size_t i) const;
  Perm in_order_of(std::size_t i);  // as it is stored; of constants, that of ONNX
  const QParams& in_params(std::size_t i) const { return *group_.inputs[i].params; }
  const QParams& out_params(std::size_t i) const { return *group_.outputs[i].params; }
  const End& in_end(std::size_t i) const { return group_.inputs[i]; }
  const Value* out_value(std::size_t i) const { return group_.outputs[i].value; }

  int in(std::size_t i, const Perm& perm);
  // With the parameters of the first result, after a QUANTIZE where they are others.
  int in_as_result(std::size_t i, const Perm& perm);

  // The tensor that the operator writes, in that order. Integer operators of which TFLite wants
  // that they keep parameters write `made`, and what differs is requantized behind.
  int out(std::size_t i, const Perm& perm);
  int out(std::size_t i, const Perm& perm, const QParams& made);
  // Of operators that change no code: in the parameters of the first input.
  int moved(std::size_t i, const Perm& perm);
  // The result is what is stored there already, with these parameters (integer nodes).
  void pass(std::size_t i, const Stored& stored);

  // The activation behind, if the operator can do it; the rest is done by finish().
  fb::Activation activation();
  // Gives a node itself the meaning of an activation (Relu and Clip).
  void clip(Interval bounds) { bounds_ = bounds; }

  std::optional<Tensor> constant(std::size_t i) const;
  Tensor needed_constant(std::size_t i, const char* what) const;  // refuses what is computed
  std::vector<std::int64_t> needed_ints(std::size_t i, const char* what) const;

  // A constant of one number, of the type and with the parameters of a tensor.
  int scalar_like(const Tensor& value, int tensor);

  template <typename Options>
  void emit(fb::Op op, std::vector<int> in, std::vector<int> out, Options options) {
    fb::OptionsUnion choice;
    choice.Set(std::move(options));
    emitter_.emit(op, std::move(in), std::move(out), std::move(choice));
  }
  void emit(fb::Op op, std::vector<int> in, std::vector<int> out) {
    emitter_.emit(op, std::move(in), std::move(out));
  }

  // Emits what is left to do behind the operator.
  void finish();

  // Throws Code::unsupported, naming the node.
  [[noreturn]] void refuse(const std::string& reason, const std::string& remedy) const;

 private:
  struct Step {  // behind the operator
    fb::Op op;
    int from, bound, to;
  };
  struct CodeBounds {
    int lo = -128, hi = 127;
  };
  Interval bounds() const;
  CodeBounds code_bounds(std::size_t i) const;
  void add_clamp(int from, std::size_t i, const CodeBounds& bounds, int to);
  int bound_tensor(int like, int code);

  Emitter& emitter_;
  const Group& group_;
  std::optional<Interval> bounds_;
  bool activated_ = false;
  std::vector<Step> steps_;
};

}  // namespace intaglio::tflite
