// The JSON reports: docs/report.schema.json describes them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibration/observe.h"
#include "calibration/selectors/selector.h"
#include "lib/base/json.h"
#include "lib/eval/evaluate.h"
#include "lib/graph/model.h"
#include "lib/io/load.h"
#include "lib/passes/pass.h"
#include "lib/quant/plan.h"

namespace intaglio {

// JSON has no infinity: null stands for "no number".
Json number(std::optional<double> value);

// "tool": this program.
Json tool_json();
// "method": its name and parameters.
Json method_json(const Method& method);
// "model": the input file. Its bytes are those of its external data too.
Json model_json(const std::filesystem::path& path, const Model& model, const DataFiles& data_files);
// "output": the file that was written, and its external data.
Json output_json(const std::filesystem::path& path, const std::string& format,
                 const DataFiles& data_files);

// What preparation did away with: by name, the pass that did it. Filled by watching prepare().
struct Folded {
  struct Entry {
    std::string name, op, pass;  // op is empty for values
  };
  std::vector<Entry> nodes, values;
};

// "nodes": every node of the input and of the prepared graph, with the reason where it stays float.
// in_float: by node, why a quantized one computes in float between its Q/DQ pairs.
Json nodes_json(const Plan& plan, const Folded& folded,
                const std::map<std::string, std::string>& in_float = {});
// "values": every value of both, with statistics where it was observed and numbers where it is
// quantized.
Json values_json(const Graph& prepared, const Plan& plan, const Observations& observations,
                 const Evaluation* evaluation, const Folded& folded);
Json evaluation_json(const Evaluation& evaluation);
Json passes_json(const std::vector<PassCount>& counts);

// What to call a node of a report: its name, or that of its first output when it has none.
std::string node_label(const Json& node);

// The text of a document: indented, ends in a newline. Names that are not UTF-8 (files may have
// such) get replacement characters.
std::string to_text(const Json& json);

}  // namespace intaglio
