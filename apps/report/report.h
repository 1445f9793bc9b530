// The JSON reports: docs/report.schema.json describes them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/hand_over.h"
#include "apps/pipeline/search.h"
#include "apps/pipeline/write.h"
#include "calibration/ranges/methods/selector.h"
#include "calibration/statistics/statistics.h"
#include "lib/base/json.h"
#include "lib/eval/evaluate.h"
#include "lib/quant/plan.h"

namespace intaglio {

// JSON has no infinity: null stands for "no number".
Json number(std::optional<double> value);

// "tool": this program.
Json tool_json();
// "method": its name and parameters.
Json method_json(const Method& method);
// "model": the input file.
Json model_json(const SourceFile& file);
// "handed_over": files for toolchains of float models; null for each that was not asked for.
Json handed_over_json(const HandedOver& handed);
// "output": the file that was written, and its external data.
Json output_json(const SavedFile& file);
// "data": what was read of a data set; null for none.
Json data_json(const std::optional<DataSummary>& data);
// "execution": null for a model that is not quantized.
Json execution_json(const std::optional<ExecutionSummary>& execution);
// "keep_float": null where no layers were asked for.
Json keep_json(const std::optional<KeepSummary>& kept);
// "run": the options in effect, threads, times and memory. sample_seconds: what the samples took.
Json run_json(const Context& context, std::size_t samples, double sample_seconds);

// "nodes": every node of the input and of the prepared graph, with the reason where it stays float.
// written: what the writer found of nodes, such as why a quantized one computes in float.
Json nodes_json(const Plan& plan, const Folded& folded, const Written& written = {});
// "values": every value of both, with statistics where it was observed and numbers where it is
// quantized.
Json values_json(const Graph& prepared, const Plan& plan, const Observations& observations,
                 const Evaluation* evaluation, const Folded& folded);
Json evaluation_json(const Evaluation& evaluation);
// "gates": what was asked, measured, and whether it holds.
Json gates_json(const std::vector<JudgedGate>& gates);
Json passes_json(const std::vector<PassCount>& counts);

// What to call a node of a report: its name, or that of its first output when it has none.
std::string node_label(const Json& node);

// The text of a document: indented, ends in a newline, with flags where a sentence names settings.
// Names that are not UTF-8 (files may have such) get replacement characters.
std::string to_text(const Json& json);

}  // namespace intaglio
