#include "apps/pipeline/hand_over.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "calibration/refine/bias_correction.h"
#include "calibration/refine/gptq.h"
#include "lib/base/hash.h"
#include "lib/ncnn/match.h"
#include "lib/ncnn/table.h"
#include "lib/ncnn/write.h"
#include "lib/rewrite/float_model.h"

namespace intaglio {
namespace {

constexpr std::size_t most_named = 5;

std::string some(const std::vector<std::string>& names) {
  const std::size_t named = std::min(names.size(), most_named);
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(named));
  return fmt::format("{}{}", fmt::join(first, ", "),
                     names.size() > named ? fmt::format(" and {} more", names.size() - named) : "");
}

void require_network(const HandOverOptions& o, const FormOptions& form) {
  const bool table = o.ranges_format == RangesFormat::ncnn;
  const bool network = form.form == OutputForm::ncnn;
  if (!o.ncnn_param.empty() && !table && !network)
    throw Error(Code::usage, "--ncnn-param: nothing is made of the network",
                "Add --format ncnn, or --ranges FILE --ranges-format ncnn.");
  if (o.ncnn_param.empty() && (table || network))
    throw Error(Code::usage,
                fmt::format("{}: the layers of a converted network are needed",
                            network ? "--format ncnn" : "--ranges-format ncnn"),
                "Convert the float model with pnnx, and give its --ncnn-param NAME.ncnn.param.");
  if (!o.ncnn_param.empty()) ncnn_bin_of(o.ncnn_param);
}

void warn_of_missing(const HandedOver::Ranges& ranges, std::vector<std::string>& warnings) {
  if (ranges.missing.empty()) return;
  warnings.push_back(fmt::format("{}: {} values are not quantized and have no range: {}",
                                 ranges.file.path, ranges.missing.size(), some(ranges.missing)));
}

std::string name_of(const Node* node) {
  if (node == nullptr) return "";
  return node->name().empty() ? first_output(*node)->name() : node->name();
}

HandedOver::Ranges write_ranges(const HandOverOptions& o, const Graph& graph, const Plan& plan,
                                const std::optional<NcnnNetwork>& network,
                                const std::optional<NcnnDecision>& decision, Outputs& outputs) {
  HandedOver::Ranges written;
  written.file.path = o.ranges;
  written.format = *o.ranges_format;
  std::string text;
  if (written.format == RangesFormat::ncnn) {
    text = ncnn_table(*network, *decision);
    written.values = decision->in_integers();
  } else {
    ValueRanges ranges = value_ranges(graph, plan);
    text = ranges_text(written.format, ranges);
    const auto within = std::ranges::count_if(ranges.values, &ValueRange::within);
    written.values = ranges.values.size() - static_cast<std::size_t>(within);
    written.missing = std::move(ranges.missing);
  }
  written.file.sha256 = sha256(text);
  written.file.bytes = text.size();
  outputs.write(o.ranges, text);
  return written;
}

}  // namespace

void require_consistent(const HandOverOptions& o, const QuantOptions& quant) {
  const FormOptions& form = quant.form;
  if (o.ranges.empty() != !o.ranges_format)
    throw Error(Code::usage,
                o.ranges.empty() ? "--ranges-format: there is no file of ranges"
                                 : "--ranges: toolchains read ranges in different forms",
                o.ranges.empty() ? "Add --ranges FILE."
                                 : "Add --ranges-format ncnn, sophgo, tflite or rknn.");
  if (!o.ranges.empty() && !form.calibrated())
    throw Error(Code::usage,
                fmt::format("--ranges: {} has no ranges of activations",
                            form.from_qdq ? "--from-qdq" : "--format " + form.name()),
                "Use a form that is calibrated, such as --format qdq.");
  if (!o.float_output.empty() && form.from_qdq)
    throw Error(Code::usage, "--float-output: with --from-qdq there is no float model",
                "Give the float model, and --data.");
  if (!o.float_output.empty() && has_groups(quant))
    throw Error(Code::usage, "--float-output: weights in groups have no float model",
                "Leave it out, or use a form with codes of activations.");
  if (form.form == OutputForm::ncnn && form.from_qdq)
    throw Error(Code::usage, "--from-qdq: a quantized model does not become the form 'ncnn'",
                "Give the float model, and --data.");
  require_network(o, form);
}

void declare_hand_over(const HandOverOptions& o, const FormOptions& form, const std::string& output,
                       Outputs& outputs) {
  outputs.declare("--float-output", o.float_output);
  outputs.declare("--ranges", o.ranges);
  if (form.form == OutputForm::ncnn)
    outputs.declare("the weights of the output", ncnn_bin_of(output));
  if (o.ncnn_param.empty()) return;
  outputs.keep("--ncnn-param", o.ncnn_param);
  outputs.keep("the weights of --ncnn-param", ncnn_bin_of(o.ncnn_param));
}

std::optional<NcnnNetwork> given_network(const HandOverOptions& o) {
  if (o.ncnn_param.empty()) return std::nullopt;
  return load_ncnn(o.ncnn_param);
}

bool is_of_given(const NcnnNetwork& network, const Prepared& prepared) {
  const auto nodes = match_ncnn(network, prepared.model.graph());
  return std::ranges::any_of(nodes, [](const Node* node) { return node != nullptr; });
}

FloatTwin float_twin(const Prepared& prepared, const Plan& plan,
                     const std::optional<NcnnNetwork>& network) {
  FloatTwin twin{.model = prepared.model.clone(), .ncnn = {}};
  apply_codes(twin.model, plan);
  apply_shifts(twin.model, plan);
  const Model refined = network ? twin.model.clone() : Model();
  write_float_model(twin.model, plan);
  if (network)
    twin.ncnn = decide_ncnn(
        *network, {prepared.reference().graph(), refined.graph(), twin.model.graph()}, plan);
  return twin;
}

HandedOver hand_over(const HandOverOptions& o, const Prepared& prepared, const Quantized& quantized,
                     FloatTwin twin, const std::optional<NcnnNetwork>& network,
                     const SaveOptions& saving, Context& context,
                     std::vector<std::string>& warnings) {
  HandedOver handed;
  if (!o.ranges.empty()) {
    handed.ranges =
        write_ranges(o, twin.model.graph(), quantized.plan, network, twin.ncnn, context.outputs);
    warn_of_missing(*handed.ranges, warnings);
    if (o.float_output.empty() && prepared.original && o.ranges_format != RangesFormat::ncnn)
      warnings.push_back(
          fmt::format("{}: the ranges are those of the model as it was refined: "
                      "`float-output` writes it, `effort` fast leaves it as it is",
                      o.ranges));
  }
  if (o.float_output.empty()) return handed;
  for (const auto& [key, value] : quantized.model.metadata())
    if (key.starts_with("intaglio.")) twin.model.set_metadata(key, value);
  twin.model.set_metadata("intaglio.format", "float");
  twin.model.set_producer("intaglio", INTAGLIO_VERSION);
  restore_half_interface(twin.model.graph(), prepared.halves);
  context.phase("verify float", [&] { require_valid_result(prepared, twin.model); });
  const SavedFile file = save(context.outputs, twin.model, o.float_output, "float", saving);
  handed.float_model = HandedFile{file.path, file.sha256, file.bytes};
  return handed;
}

SavedFile save_ncnn(Outputs& outputs, const NcnnNetwork& network, const NcnnDecision& decision,
                    const Plan& plan, std::vector<std::string> without, const std::string& path,
                    std::vector<std::string>& warnings) {
  const NcnnFiles files = ncnn_files(network, decision, plan);
  SavedFile saved;
  saved.path = path;
  saved.sha256 = sha256(files.param);
  saved.format = "ncnn";
  saved.bytes = files.param.size() + files.bin.size();
  NcnnSummary& summary = saved.ncnn.emplace();
  summary.bin = ncnn_bin_of(path).string();
  summary.bin_sha256 = sha256(files.bin);
  summary.on_grid = decision.on_grid;
  summary.missing = decision.missing;
  summary.without = std::move(without);
  for (std::size_t i = 0; i < decision.layers.size(); ++i) {
    const NcnnDecision::Layer& layer = decision.layers[i];
    if (!layer.scales && layer.reason.empty()) continue;
    summary.layers.push_back({network.graph.layers[i].name, network.graph.layers[i].type,
                              name_of(layer.node), layer.scales.has_value(), layer.reason});
  }
  if (!summary.missing.empty())
    warnings.push_back(fmt::format(
        "{}: no layer has the weights of {} quantized nodes, which stay float there: {}",
        network.param, summary.missing.size(), some(summary.missing)));
  outputs.write(summary.bin, files.bin);
  outputs.write(path, files.param);
  return saved;
}

}  // namespace intaglio
