// The graph: nodes and values linked both ways over a lossless payload.
//
// A Graph takes the protobuf nodes, initializers and value infos of a model apart and keeps each of
// them as the payload of a Node or Value; what this code does not understand (annotations, unknown
// fields, other domains) stays in the payload and is written back. Names are unique within a graph
// and its nested graphs see the values of the graphs around them, as in ONNX.
//
// Ownership: a Graph owns its nodes and values; pointers to them stay valid until erase().
// Errors: a malformed model is Code::model, with the node or value named.
// Threads: const functions may run concurrently.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/tensor/tensor.h"

namespace onnx {
class AttributeProto;
class GraphProto;
class NodeProto;
class SparseTensorProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace intaglio {

class Graph;
class Node;
class Value;

// The length of an axis: known, named, or neither.
struct Dim {
  std::int64_t value = -1;  // -1: not known before the run
  std::string symbol;       // "N"; empty when the axis has no name
  bool known() const { return value >= 0; }
};
using Dims = std::vector<Dim>;
std::string to_string(const Dims& dims);  // "[N,3,224,224]", "?" for an unnamed unknown axis

// One place where a value is read: node->input(index) == the value.
struct Use {
  Node* node;
  std::size_t index;
};

class Value {
 public:
  ~Value();
  const std::string& name() const { return name_; }
  Graph& graph() const { return graph_; }

  // What is known before the run: from the model's own type annotations or from infer_types()
  // (lib/exec/infer.h).
  DType dtype() const { return dtype_; }                     // undefined: not known
  const std::optional<Dims>& dims() const { return dims_; }  // nullopt: rank not known
  int rank() const { return dims_ ? static_cast<int>(dims_->size()) : -1; }
  void set_type(DType dtype, std::optional<Dims> dims);
  // Takes in what inference found, in place of what it found before; what the model or set_type()
  // said stays. Of it, files get the type and shape of graph outputs that had none.
  void learn(DType dtype, const std::optional<Dims>& dims);

  // Where it comes from: a node, an initializer, or the caller (a graph input).
  Node* producer() const { return producer_; }
  bool is_constant() const { return constant_.defined(); }
  const Tensor& constant() const { return constant_; }  // undefined unless is_constant()
  void set_constant(Tensor tensor);                     // replaces the contents of an initializer
  bool is_input() const { return is_input_; }
  bool is_output() const { return is_output_; }  // of its graph, or of one nested in it
  // A graph input that the caller must feed. In IR 3 initializers are listed as inputs too.
  bool is_feed() const { return is_input_ && !is_constant(); }

  // Every input of every node, nested graphs included, that reads it. Graph outputs are not uses.
  const std::vector<Use>& uses() const { return uses_; }

 private:
  friend class Graph;
  friend class Node;
  friend class GraphReader;
  friend class GraphWriter;
  friend class FunctionInliner;
  Value(Graph& graph, std::string name);

  Graph& graph_;
  std::string name_;
  DType dtype_ = DType::undefined;
  std::optional<Dims> dims_;
  Node* producer_ = nullptr;
  Tensor constant_;
  bool is_input_ = false, is_output_ = false;
  bool dtype_learned_ = false, dims_learned_ = false;  // dtype_ and dims_ are from learn()
  bool retyped_ = false;  // set_type() or set_constant() was called: it overrides what info_ says
  std::vector<Use> uses_;
  std::unique_ptr<onnx::ValueInfoProto> info_;  // as a graph input, or in value_info; may be null
  // The message that constant_ was read from, one of the two; both null when it was set since.
  std::shared_ptr<const onnx::TensorProto> initializer_;
  std::shared_ptr<const onnx::SparseTensorProto> sparse_;
};

class Node {
 public:
  ~Node();
  const std::string& name() const;    // may be empty or not unique: label() is for messages
  const std::string& op() const;      // "Conv"
  const std::string& domain() const;  // "" for the standard operators (never "ai.onnx")
  std::string label() const;          // "Conv node 'stem/conv'", or "Conv node making 'y'"
  std::int64_t opset() const;         // the version of its domain that the model imports
  bool is(std::string_view op) const { return domain().empty() && this->op() == op; }
  Graph& graph() const { return graph_; }

  // Omitted inputs and outputs are nullptr, also past the end.
  std::span<Value* const> inputs() const { return inputs_; }
  std::span<Value* const> outputs() const { return outputs_; }
  Value* input(std::size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  Value* output(std::size_t i) const { return i < outputs_.size() ? outputs_[i] : nullptr; }
  // The same where the caller cannot do without; throw Code::model, naming the node.
  Value* needed_input(std::size_t i) const;
  Value* needed_output(std::size_t i) const;

  // Attributes. Readers without a fallback throw Code::model, naming the node, when the attribute
  // is missing; all throw when it has another type.
  std::vector<std::string> attrs() const;
  // Its kind, by the letters of op_schema_table.h; 0: another kind or no such attribute, '?': files
  // older than IR 3 leave it out.
  char attr_kind(std::string_view attr) const;
  bool has(std::string_view attr) const;
  std::int64_t attr_int(std::string_view attr) const;
  std::int64_t attr_int(std::string_view attr, std::int64_t fallback) const;
  float attr_float(std::string_view attr) const;
  float attr_float(std::string_view attr, float fallback) const;
  std::string attr_string(std::string_view attr) const;
  std::string attr_string(std::string_view attr, std::string_view fallback) const;
  std::vector<std::int64_t> attr_ints(std::string_view attr) const;  // empty when missing
  std::vector<float> attr_floats(std::string_view attr) const;       // empty when missing
  std::vector<std::string> attr_strings(std::string_view attr) const;
  Tensor attr_tensor(std::string_view attr) const;
  Graph& attr_graph(std::string_view attr) const;
  // Nested graphs by attribute name, in the order of the attributes.
  std::vector<std::pair<std::string, Graph*>> nested_graphs() const;

  void set_name(std::string_view name);
  void set_op(std::string_view op, std::string_view domain = {});
  void set_attr(std::string_view attr, std::int64_t value);
  void set_attr(std::string_view attr, float value);
  void set_attr(std::string_view attr, std::string_view value);
  void set_attr(std::string_view attr, const std::vector<std::int64_t>& value);
  void set_attr(std::string_view attr, const std::vector<float>& value);
  void erase_attr(std::string_view attr);

 private:
  friend class Graph;
  friend class GraphReader;
  friend class GraphWriter;
  friend class FunctionInliner;
  explicit Node(Graph& graph);
  const onnx::AttributeProto* find_attr(std::string_view attr, int type) const;
  const onnx::AttributeProto& need_attr(std::string_view attr, int type) const;
  onnx::AttributeProto& fresh_attr(std::string_view attr, int type);

  Graph& graph_;
  std::unique_ptr<onnx::NodeProto>
      proto_;  // op, name, attributes; its input and output are not kept
  std::vector<Value*> inputs_, outputs_;
  std::vector<std::pair<std::string, std::unique_ptr<Graph>>> nested_;
};

class Graph {
 public:
  // opsets: version by domain, shared by a model and all its nested graphs.
  using Opsets = std::map<std::string, std::int64_t, std::less<>>;
  explicit Graph(std::shared_ptr<Opsets> opsets, Graph* outer = nullptr);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const std::string& name() const;
  Graph* outer() const { return outer_; }
  Node* owner() const { return owner_; }  // the node that a nested graph is an attribute of
  std::int64_t opset(std::string_view domain = {}) const;  // 0 when the model does not import it

  // Nodes in an order in which every value is made before it is read; stable under edits.
  std::vector<Node*> nodes() const;
  std::vector<Node*> listed() const;  // as they were added, whoever reads what
  std::size_t node_count() const { return nodes_.size(); }
  const std::vector<Value*>& inputs() const { return inputs_; }  // initializers of IR 3 included
  const std::vector<Value*>& outputs() const { return outputs_; }
  std::vector<Value*> feeds() const;            // inputs() that need a feed
  std::vector<Value*> values() const;           // all, in order of first mention
  Value* find(std::string_view name) const;     // this graph only; null if absent
  Value* resolve(std::string_view name) const;  // this graph, then the outer ones

  // --- The whole mutation vocabulary ---
  // New names derive from `hint` and never collide with one in this graph, around it or inside it.
  std::string unique_name(std::string_view hint) const;
  std::string unique_node_name(std::string_view hint) const;
  Value& add_value(std::string_view hint, DType dtype = DType::undefined,
                   std::optional<Dims> dims = std::nullopt);
  Value& add_constant(std::string_view hint, Tensor tensor);
  // Adds a node that reads `inputs` (nullptr = omitted) and makes `outputs`, which nothing else
  // makes.
  Node& add_node(std::string_view op, std::string_view name_hint, std::vector<Value*> inputs,
                 std::vector<Value*> outputs, std::string_view domain = {});
  // Reads another value at that place; extends the inputs with omitted ones when i is past the end.
  void set_input(Node& node, std::size_t i, Value* value);
  void trim_inputs(Node& node, std::size_t count);  // drops inputs from `count` on
  // The node makes another value at that place; the old one is left without a producer.
  void set_output(Node& node, std::size_t i, Value& value);
  // Every use of `from` (nested graphs included) reads `to`. Graph outputs are not touched.
  void replace_uses(Value& from, Value& to);
  // A graph output keeps its name: the producer of `from` takes over the place of the graph output
  // `output`. `from` disappears; its uses and those of `output` read `output`.
  void merge_into_output(Value& from, Value& output);
  void erase(Node& node);    // its outputs stay as values without a producer
  void erase(Value& value);  // no producer, no uses, no graph output; a graph input may be erased
  void drop_input(Value& value);  // an initializer stops being a graph input (IR 4 and later)

  // Checks the invariants: links in both directions, single producers, no cycle, nothing dangling.
  // Throws Code::internal: an edit of ours broke the graph.
  void verify() const;

 private:
  friend class GraphReader;
  friend class GraphWriter;
  friend class FunctionInliner;
  friend class Node;
  void link(Node& node, std::size_t i, Value* value);
  void unlink(Node& node, std::size_t i);
  void unlink_all();
  bool name_taken(std::string_view name) const;
  bool name_taken_inside(std::string_view name) const;
  Value& create(std::string name);

  std::shared_ptr<Opsets> opsets_;
  Graph* outer_;
  Node* owner_ = nullptr;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Value>> values_;
  std::unordered_map<std::string, Value*> by_name_;
  std::vector<Value*> inputs_, outputs_;
  std::vector<std::unique_ptr<onnx::ValueInfoProto>> output_infos_;  // of outputs_, one each
  // Everything but nodes, initializers, inputs and outputs. Its value_info is kept for the order
  // and for entries that describe no value (stray_infos_).
  std::unique_ptr<onnx::GraphProto> rest_;
  std::set<std::string, std::less<>> stray_infos_;
  mutable std::unordered_map<std::string, int> name_counters_;
};

}  // namespace intaglio
