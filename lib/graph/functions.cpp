// Model-local functions (FunctionProto; onnx/docs/IR.md, Functions) replaced by their nodes.
#include <fmt/format.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lib/graph/codec.h"
#include "lib/graph/function_body.h"

namespace intaglio {
namespace {

using onnx::FunctionProto;
using Key = std::tuple<std::string, std::string, std::string>;  // domain, name, overload

// Beyond this many nodes, functions that call functions are taken for an attack.
constexpr int most_nodes = 1'000'000;

std::string first_or_empty(const std::vector<std::string>& list) {
  return list.empty() ? std::string() : list[0];
}

Key key_of(const FunctionProto& f) {
  return {plain_domain(f.domain()), f.name(), first_or_empty(newer_field(f, 13))};
}
Key key_of(const onnx::NodeProto& node) {
  return {plain_domain(node.domain()), node.op_type(), first_or_empty(newer_field(node, 8))};
}

using Functions = std::map<Key, const FunctionProto*>;

void refuse_recursion(const Functions& functions, const Key& key, std::set<Key>& open,
                      std::set<Key>& done) {
  if (done.contains(key)) return;
  constexpr std::size_t deepest = 1000;
  if (!open.insert(key).second || open.size() > deepest)
    throw Error(Code::model, fmt::format("function '{}' calls itself, or others too deep down",
                                         std::get<1>(key)));
  each_node(functions.at(key)->node(), [&](const onnx::NodeProto& node) {
    if (functions.contains(key_of(node))) refuse_recursion(functions, key_of(node), open, done);
  });
  open.erase(key);
  done.insert(key);
}

// Operator sets that only the function imports are imported by the model; where both do, in
// different versions, the operators used must be the same in both.
void import_opsets(const FunctionProto& f, Graph::Opsets& opsets) {
  for (const auto& import : f.opset_import()) {
    const std::string domain = plain_domain(import.domain());
    const auto [it, fresh] = opsets.emplace(domain, import.version());
    if (fresh || it->second == import.version()) continue;
    each_node(f.node(), [&, model = it->second](const onnx::NodeProto& node) {
      if (plain_domain(node.domain()) != domain) return;
      const auto schema = [&](std::int64_t version) {
        return onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(version), domain);
      };
      if (schema(model) != schema(import.version()))
        throw Error(Code::unsupported,
                    fmt::format("function '{}' uses {} of opset {}, the model imports opset {}",
                                f.name(), node.op_type(), import.version(), model),
                    "Export the model with one version of each operator set.");
    });
  }
}

}  // namespace

void FunctionInliner::inline_call(Graph& graph, Node& call, const onnx::FunctionProto& f) {
  std::map<std::string, std::string> names;
  for (int i = 0; i < f.input_size(); ++i) {
    const Value* given = call.input(static_cast<std::size_t>(i));
    names[f.input(i)] = given != nullptr ? given->name() : std::string();
  }
  const auto defined = defined_names(f);
  std::string prefix;
  do {
    prefix = fmt::format("{}_{}/", f.name(), ++graph.name_counters_[f.name() + "/"]);
  } while (std::any_of(defined.begin(), defined.end(),
                       [&](const auto& name) { return graph.name_taken(prefix + name); }));
  FunctionBody body(f, *call.proto_, names, prefix);
  const std::vector<Value*> results(call.outputs().begin(), call.outputs().end());
  graph.erase(call);
  GraphReader::read_nodes(body.message(), graph, {});
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] == nullptr) continue;
    Value* made = i < static_cast<std::size_t>(f.output_size())
                      ? graph.resolve(body.renamed(f.output(static_cast<int>(i))))
                      : nullptr;
    if (made == nullptr)
      throw Error(Code::model, fmt::format("function '{}' does not make output {}", f.name(), i));
    const bool own = made->producer() != nullptr && made->name().starts_with(prefix);
    if (own && !made->is_output()) {
      graph.merge_into_output(*made, *results[i]);
    } else {
      graph.add_node("Identity", prefix + "output", {made}, {results[i]});
    }
  }
}

int FunctionInliner::run(Model& model) {
  Functions functions;
  const auto kept = std::move(*model.rest_->mutable_functions());
  model.rest_->clear_functions();
  for (const FunctionProto& f : kept) functions[key_of(f)] = &f;
  std::set<Key> open, done;
  for (const auto& [key, f] : functions) refuse_recursion(functions, key, open, done);
  int count = 0, nodes = 0;
  const std::function<void(Graph&)> sweep = [&](Graph& graph) {
    for (bool changed = true; std::exchange(changed, false);)
      for (Node* node : graph.nodes()) {
        const auto found = functions.find(key_of(*node->proto_));
        if (found == functions.end()) continue;
        nodes += found->second->node_size();
        if (nodes > most_nodes)
          throw Error(Code::model, fmt::format("more than {} nodes in functions", most_nodes));
        import_opsets(*found->second, *model.opsets_);
        try {
          inline_call(graph, *node, *found->second);
        } catch (const Error& e) {
          throw e.within(fmt::format("function '{}'", found->second->name()));
        }
        ++count;
        changed = true;
      }
    for (const Node* node : graph.nodes())
      for (const auto& [attr, nested] : node->nested_graphs()) sweep(*nested);
  };
  sweep(*model.graph_);
  return count;
}

int inline_functions(Model& model) { return FunctionInliner::run(model); }

}  // namespace intaglio
