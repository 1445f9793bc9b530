// A model: the main graph and what ONNX keeps around it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "lib/graph/graph.h"

namespace onnx {
class ModelProto;
}

namespace intaglio {

class Model {
 public:
  Model();  // an empty graph, IR 8, opset 13
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // Copies everything but the weights, which are shared. Values that nothing defines are left out.
  Model clone() const;

  Graph& graph() { return *graph_; }
  const Graph& graph() const { return *graph_; }

  std::int64_t ir_version() const;
  void set_ir_version(std::int64_t version);
  const Graph::Opsets& opsets() const { return *opsets_; }
  std::int64_t opset(std::string_view domain = {}) const { return graph_->opset(domain); }
  void set_opset(std::string_view domain, std::int64_t version);  // adds the import when missing

  std::string producer() const;  // "pytorch 2.1"
  void set_producer(std::string_view name, std::string_view version);
  std::map<std::string, std::string> metadata() const;
  void set_metadata(std::string_view key, std::string_view value);
  std::size_t function_count() const;  // model-local functions

 private:
  friend class GraphReader;
  friend class GraphWriter;
  friend class FunctionInliner;
  std::unique_ptr<onnx::ModelProto> rest_;  // everything but the graph
  std::shared_ptr<Graph::Opsets> opsets_;
  std::unique_ptr<Graph> graph_;
};

// Replaces every call of a model-local function by the nodes of the function, nested graphs and
// calls inside functions included; the model has no functions afterwards. Returns the number of
// calls. Throws Code::model for a function that calls itself, and Code::unsupported where one needs
// an operator of another opset than the model imports; the model must then be dropped.
int inline_functions(Model& model);

// ONNX's text form (onnx/defs/parser.h), for tests:
//   <ir_version: 8, opset_import: ["": 13]> g (...) {...}
// Throws Code::model with the parser's message.
Model parse_model(std::string_view text);

}  // namespace intaglio
