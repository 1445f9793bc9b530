// What a metric is: one row for each in metric_def.cpp, by which plans, gates, objectives, tables,
// reports and pages go. To add one that compares values of outputs, name it in metric.h and give it
// a row; one that reads outputs in a way of its own is measured in candidate_run.cpp besides.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

// A limit that a figure must keep, as somebody sets it: `name` is what he calls it.
struct GateLimit {
  std::string name;
  double value = 0;
};

// What became of a gate, or of one output of it.
struct GateOutcome {
  std::string of = {};                              // the output; empty: the whole
  std::optional<double> measured = {};              // nullopt: it has no figure
  std::optional<ConfidenceInterval> interval = {};  // of a share, in the unit of the gate
  std::string missed = {};                          // a sentence with both figures; empty: it holds
};

struct GateDef {
  std::string_view name;  // of the setting: "min-sqnr"
  std::string_view unit;  // "DB"
  std::string_view help;  // goes on after "when": "an output has a lower SQNR"
  double most = std::numeric_limits<double>::infinity();  // limits lie in 0..most; infinite: any
  bool absolute = false;  // of the model by itself: nothing is compared with
  // What could not be measured, such as F1 where there are no boxes, misses. Null: every output's
  // figure is judged.
  GateOutcome (*judge)(const Evaluation& e, const GateLimit& limit) = nullptr;
};

// A figure of each output beside the reference's.
struct OutputFigure {
  // nullopt: it has none, such as an SQNR without noise. Null: the metric is not of outputs.
  std::optional<double> (*of)(const OutputDeviation& output) = nullptr;
  std::string_view label = {};                   // "SQNR"
  std::string_view unit = {};                    // "dB"; empty: none
  std::string_view of_what = {};                 // what follows a number by itself: "dB of PSNR"
  std::string_view undefined = "without noise";  // what stands for nullopt
  std::string_view key = {};                     // in reports
  int decimals = 2;
  bool small = false;                                      // smaller is better
  double exact = std::numeric_limits<double>::infinity();  // without noise

  std::string head() const;                                     // of a column: "SQNR dB"
  std::string text(const std::optional<double>& figure) const;  // "31.25 dB", "without noise"
};

// A column of a table that compares models.
struct MetricColumn {
  std::string head;
  std::function<std::string(const Evaluation&e)> reference, model;
};

// The outputs by which a metric is chosen when none is asked for.
struct SuitedOutputs {
  bool boxes = false, scores = false, images = false, tokens = false, others = false;
};

struct MetricDef {
  Metric metric;
  std::string_view name;
  SuitedOutputs suits = {};
  bool labels = false;  // it compares with labels, not with a reference
  bool alone = false;   // of one model, too
  OutputFigure output = {};
  std::vector<GateDef> gates = {};

  // Of a metric that is not of outputs.
  std::string_view objective = {};    // what the best model is best at; empty: by its name
  std::string_view superlative = {};  // of the best model: "smallest character error of"
  double (*merit)(const Evaluation& e) = nullptr;  // larger is better
  std::string (*merit_text)(double merit) = nullptr;
  double (*score)(const SampleAnswer& answer) = nullptr;  // the merit of one sample
  std::vector<MetricColumn> columns = {};
  std::string (*sentence)(const Evaluation& e) = nullptr;  // null: its columns say all

  bool of_outputs() const { return output.of != nullptr; }
};

// In the order of Metric.
std::span<const MetricDef> all_metrics();
const MetricDef& def_of(Metric metric);

// Of the output that fares worst where the metric is of outputs. Larger is better.
double merit_of(const MetricDef& def, const Evaluation& e);
// The merit of each sample, in the order of e.answers; what is exact has a large one, not infinity.
std::vector<double> scores_of(const MetricDef& def, const Evaluation& e);
std::string merit_text(const MetricDef& def, double merit);  // "31.25 dB", "exact dB"
std::string superlative_of(const MetricDef& def);            // "largest"
std::vector<MetricColumn> columns_of(const MetricDef& def);

struct MetricGate {
  const MetricDef* metric;
  const GateDef* gate;

  std::vector<GateOutcome> judge(const Evaluation& e, const GateLimit& limit) const;
};

// Of all metrics, those of outputs first.
std::vector<MetricGate> all_gates();

}  // namespace intaglio
