// Between protobuf messages and the graph. For lib/graph and lib/io only: everything else sees
// Graph.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <functional>

#include "lib/graph/library_types.h"
#include "lib/graph/model.h"

namespace intaglio {

// Where the bytes of an initializer go on the way out: false keeps them in the message; otherwise
// the sink stored them elsewhere and filled in external_data and data_location of the message,
// which has name, type and shape already.
using TensorSink = std::function<bool(const Value& value, onnx::TensorProto& message)>;

// How the bytes of an external initializer come in: returns them for a message with data_location
// EXTERNAL.
using TensorSource = std::function<std::shared_ptr<const std::byte>(
    const onnx::TensorProto& message, std::size_t bytes)>;

// "" and "ai.onnx" are the same operator set.
inline std::string plain_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string() : std::string(domain);
}

// Takes the message apart. Throws Code::model, with the node, value or initializer named, for a
// dangling input, a value made twice, a cycle, or an initializer whose bytes do not fit its shape.
Model from_proto(onnx::ModelProto&& message, const TensorSource& source = {});

// The message of the model, nodes in topological order.
onnx::ModelProto to_proto(const Model& model, const TensorSink& sink = {});

// Gives the standard operators their plain name, "", and the imports with it.
void plain_domains(onnx::ModelProto& message);

// --- Tensors and types ---

Tensor tensor_of(const std::shared_ptr<const onnx::TensorProto>& message,
                 const TensorSource& source = {});
// The dense tensor. Throws Code::unsupported when it would be larger than 2 GB.
Tensor tensor_of(const onnx::SparseTensorProto& message);
void fill(onnx::TensorProto& message, const std::string& name, const Tensor& tensor);
void write_dims(const Dims& dims, onnx::TensorShapeProto& shape);
ValueType value_type(const onnx::ValueInfoProto& info);

// --- What sees the inside of graphs ---

class GraphReader {
 public:
  static Model read(onnx::ModelProto&& message, const TensorSource& source);
  // Nodes that go on what the graph has.
  static void read_nodes(onnx::GraphProto& message, Graph& graph, const TensorSource& source);
  // Gives the values of `to` the constants and types of the values with the same names in `from`,
  // of which it was made.
  static void share_values(const Graph& from, Graph& to);

 private:
  static void read_graph(onnx::GraphProto& message, Graph& graph, const TensorSource& source);
  static void read_initializers(onnx::GraphProto& message, Graph& graph,
                                const TensorSource& source);
  static void read_type(const onnx::ValueInfoProto& info, Value& value);
};

class GraphWriter {
 public:
  static onnx::ModelProto write(const Model& model, const TensorSink& sink);
  // A graph of one node, for shape inference.
  static onnx::GraphProto graph_of(const Node& node, std::span<const ValueType> inputs);
  // Whether the model says what the value is: a tensor of some element type, a sequence, ...
  static bool says_type(const Value& value);

 private:
  static void write_graph(const Graph& graph, onnx::GraphProto& message, const TensorSink& sink);
  static void write_initializer(const Value& value, onnx::TensorProto& message,
                                const TensorSink& sink);
  static void write_value_info(const Value& value, const onnx::ValueInfoProto* said,
                               onnx::ValueInfoProto& message);
};

class FunctionInliner {
 public:
  static int run(Model& model);

 private:
  static void inline_call(Graph& graph, Node& call, const onnx::FunctionProto& f);
};

}  // namespace intaglio
