// What an operator kernel is, and how the executor calls it.
//
// A kernel is made once per node when a graph is compiled, reads its attributes then, and runs any
// number of times, from many threads at once. To add one, write lib/exec/ref/<op>.cpp that ends in
//
//   void register_<op>(Registry& registry) {
//     registry.add({.op = "Relu", .since = 1, .make = make_relu, .infer = rules::like});
//   }
//
// and build: CMake finds the file and calls the function.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/exec/post_op.h"
#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// A part of the channels of a channels-last tensor that several steps fill, in place of a Concat.
struct ChannelSlice {
  std::int64_t first = 0, total = 0;  // channels
};

// The inputs and outputs of one call. Inputs are row-major unless the kernel said it reads others.
// Of a node with nested graphs, the values that these capture follow its own inputs (nested.h).
class KernelContext {
 public:
  KernelContext(const Node& node, std::span<const Tensor* const> inputs, std::span<Tensor> outputs,
                const std::optional<ChannelSlice>& slice = std::nullopt)
      : node_(node), inputs_(inputs), outputs_(outputs), slice_(slice) {}

  const Node& node() const { return node_; }

  // Inputs that the operator requires; Code::model when the node omits it.
  const Tensor& input(std::size_t i) const;
  // Optional ones: nullptr when omitted or past the end.
  const Tensor* optional(std::size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  std::size_t input_count() const { return inputs_.size(); }
  std::size_t output_count() const { return outputs_.size(); }
  bool wants(std::size_t i) const { return node_.output(i) != nullptr; }

  // Gives output i fresh bytes, not initialised. The reference is valid until the call returns.
  Tensor& output(std::size_t i, DType type, Shape shape);
  // For kernels whose definition says `slices`. Where the channels of output 0, of this shape, go.
  struct Destination {
    float* data;         // of the first channel of the first pixel
    std::int64_t pitch;  // from one pixel to the next, in floats
  };
  // Output 0 is f32 and channels-last: a tensor of its own, or a part of one that other steps fill
  // too.
  Destination channels_last_output(Shape shape);

  // Makes output i share the bytes of another tensor (Reshape, Identity, ...).
  void set_output(std::size_t i, Tensor tensor);

 private:
  const Node& node_;
  std::span<const Tensor* const> inputs_;
  std::span<Tensor> outputs_;
  std::optional<ChannelSlice> slice_;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Errors: throw Error (mostly Code::model: shapes or types that do not fit) without naming the
  // node, which the executor adds.
  virtual void run(KernelContext& context) const = 0;
  // Whether inputs may have either layout (then the kernel decides on that of its outputs).
  // Otherwise the executor makes them row-major first.
  virtual bool takes_any_layout() const { return false; }
  // What ran in the end, for profiles: "jit_1x1:avx512_core". Empty: nothing to add to the name.
  virtual std::string detail() const { return {}; }
};

enum class Layouts { row_major, any };

// A kernel from a callable void(KernelContext&): most kernels have no more state than its captures.
template <typename F>
std::unique_ptr<Kernel> make_kernel(F body, Layouts layouts = Layouts::row_major) {
  class FromCallable final : public Kernel {
   public:
    FromCallable(F f, Layouts l) : body_(std::move(f)), layouts_(l) {}
    void run(KernelContext& context) const override { body_(context); }
    bool takes_any_layout() const override { return layouts_ == Layouts::any; }

   private:
    F body_;
    Layouts layouts_;
  };
  return std::make_unique<FromCallable>(std::move(body), layouts);
}

// Why a candidate does not take a node; nullopt: it takes it.
using Refusal = std::optional<std::string>;

class RuleContext;
// What is known of the results before the run (shape_rule.h).
using ShapeRule = void (*)(RuleContext& context);

struct KernelDef {
  std::string_view op;
  std::string_view impl = "ref";  // "ref", "onednn", ...
  int since = 1;                  // first opset of the domain whose semantics it has
  int priority = 0;               // higher is tried first; ref is 0
  std::string_view domain = {};
  Refusal (*refuse)(const Node& node) = nullptr;  // null: takes every node
  std::unique_ptr<Kernel> (*make)(const Node& node) = nullptr;
  bool slices = false;  // it asks for output 0 by channels_last_output()
  // A kernel that applies the operations to output 0 too; null when it cannot. Inputs that they add
  // come behind those of the node.
  std::unique_ptr<Kernel> (*make_fused)(const Node& node, const PostOps& ops) = nullptr;
  // A kernel that does the work of `next` too, which alone reads output 0, without making that
  // output as a whole; null when it cannot. Operations that add something do not come here.
  std::unique_ptr<Kernel> (*make_followed)(const Node& node, const PostOps& ops, const Node& next,
                                           const PostOps& next_ops) = nullptr;
  ShapeRule infer = nullptr;  // of the operator; stands beside its reference kernel
};

}  // namespace intaglio
