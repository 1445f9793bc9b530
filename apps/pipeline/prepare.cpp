#include "apps/pipeline/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "apps/pipeline/load.h"
#include "lib/base/hash.h"
#include "lib/exec/infer.h"
#include "lib/io/save.h"
#include "lib/passes/qdq/fuse_qdq.h"

namespace intaglio {
namespace {

void refuse_quantized(const Graph& graph, const std::string& path) {
  for (const Node* node : graph.nodes())
    if (is_integer_operator(*node) || is_conversion(*node) || holds_packed_codes(*node))
      throw Error(Code::unsupported,
                  fmt::format("{}: is quantized already: it holds the {}", path, node->label()),
                  "Give the float model: quantizing twice would only lose accuracy. To convert its "
                  "form, or to store its weights as integers, use --from-qdq.");
}

// Whether scores may stay float behind a Gemm alone.
bool scores_by_gemm(const Target& target) {
  const auto takes = [&](const char* op) {
    const auto it = target.ops.find(op);
    return it != target.ops.end() && it->second.float_output;
  };
  return takes("Gemm") && !takes("Conv");
}

// Activations that the target does not run as a part of a convolution.
std::set<std::string, std::less<>> lone_activations(const Target& target) {
  std::set<std::string, std::less<>> lone;
  for (const auto& [op, rule] : target.ops)
    if (std::ranges::find(rule.fuses_into, "Conv") == rule.fuses_into.end()) lone.insert(op);
  return lone;
}

// Notes by name what each pass did away with.
class FoldWatcher {
 public:
  explicit FoldWatcher(const Graph& graph)
      : graph_(graph), nodes_(node_names()), values_(value_names()) {}

  void after(std::string_view pass) {
    auto nodes = node_names();
    for (const auto& [name, op] : nodes_)
      if (!nodes.contains(name)) folded_.nodes.push_back({name, op, std::string(pass)});
    auto values = value_names();
    for (const std::string& name : values_)
      if (!values.contains(name)) folded_.values.push_back({name, "", std::string(pass)});
    nodes_ = std::move(nodes);
    values_ = std::move(values);
  }

  Folded take() { return std::move(folded_); }

 private:
  std::map<std::string, std::string> node_names() const {
    std::map<std::string, std::string> names;
    for (const Node* node : graph_.nodes())
      names[node->name().empty() ? node->label() : node->name()] = node->op();
    return names;
  }
  std::set<std::string> value_names() const {
    std::set<std::string> names;
    for (const Value* value : graph_.values()) names.insert(value->name());
    return names;
  }

  const Graph& graph_;
  std::map<std::string, std::string> nodes_;
  std::set<std::string> values_;
  Folded folded_;
};

// Loaded, with what is known of the file.
Prepared load_float(const std::string& path, Context& context) {
  Prepared p;
  DataFiles data_files;
  p.model = context.phase("load", [&] { return load_valid(path, &data_files); });
  keep_data_files(context.outputs, data_files);
  refuse_quantized(p.model.graph(), path);
  p.source = source_file(path, p.model, data_files);
  p.contents = contents_of(p.model.graph());
  p.producer = p.model.producer();
  p.external = !data_files.empty();
  return p;
}

}  // namespace

SourceFile source_file(const std::string& path, const Model& model, const DataFiles& data_files) {
  return {path, sha256_of_file(path), size_on_disk(path, data_files), model.opset(),
          model.graph().node_count()};
}

void keep_data_files(Outputs& outputs, const DataFiles& data_files) {
  for (const std::filesystem::path& file : data_files)
    outputs.keep("external data of the model", file);
}

Prepared load_prepared(const std::string& path, const Target& target, Context& context) {
  Prepared p = load_float(path, context);
  p.halves = half_interface(p.model.graph());
  FoldWatcher watcher(p.model.graph());
  p.passes = context.phase("prepare", [&] {
    return prepare(p.model,
                   {.min_opset = target.opset,
                    .classifier_gemm = scores_by_gemm(target),
                    .lone_activations = lone_activations(target),
                    .straight_gemm = target.straight_gemm},
                   [&](std::string_view pass) { watcher.after(pass); });
  });
  p.folded = watcher.take();
  p.hash = hash_of(p.model);
  return p;
}

Prepared load_unchanged(const std::string& path, const Target& target, Context& context) {
  Prepared p = load_float(path, context);
  p.passes = context.phase("prepare",
                           [&] { return prepare_weights(p.model, {.min_opset = target.opset}); });
  return p;
}

Prepared load_quantized(const std::string& path, Context& context) {
  Prepared p;
  DataFiles data_files;
  p.model = context.phase("load", [&] { return load_valid(path, &data_files); });
  keep_data_files(context.outputs, data_files);
  if (!has_quantized_values(p.model.graph()))
    throw Error(Code::model, fmt::format("{}: --from-qdq: holds no quantized values", path),
                "Leave out --from-qdq to quantize a float model.");
  p.source = source_file(path, p.model, data_files);
  p.contents = contents_of(p.model.graph());
  p.producer = p.model.producer();
  infer_types(p.model);
  p.hash = hash_of(p.model);
  return p;
}

void require_something(const Plan& plan) {
  if (plan.quantized_nodes() > 0) return;
  const std::string why =
      plan.nodes.empty()
          ? "the graph has no nodes"
          : fmt::format("for example {}: {}", plan.nodes.front().op, plan.nodes.front().reason);
  throw Error(Code::unsupported, fmt::format("no node of the model can be quantized; {}", why),
              "List the reasons with --dry-run, or choose another --target.");
}

}  // namespace intaglio
