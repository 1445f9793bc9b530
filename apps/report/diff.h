// What changed between two reports of quantize.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pipeline/gates.h"
#include "apps/report/digest.h"
#include "lib/base/json.h"

namespace intaglio {

struct FigureChange {
  const FigureDef* def;
  std::string of;  // the output; empty: the whole
  std::optional<DigestFigure> old, now;

  // How much worse it became, in the unit of the gate: points or, of relative ones, percent of the
  // old figure. Below 0: better. nullopt: one report does not have it.
  std::optional<double> worse_by() const;
};

struct NodeChange {
  DigestNode old, now;
};

struct ValueChange {
  DigestValue old, now;

  // The end of the range that moved farther, over the old range's width; infinite: it had none.
  // nullopt: one of both has no range, or they are equal.
  std::optional<double> moved() const;
  bool retyped() const { return old.type != now.type; }
};

struct OptionChange {
  std::string name;
  Json old, now;  // null: not given
};

struct ReportDiff {
  ReportDigest old, now;
  std::vector<std::string> notes;  // why figures may differ for other reasons than quantization
  std::vector<FigureChange> figures;
  std::vector<NodeChange> nodes;        // quantized in one and float in the other
  std::vector<DigestNode> gone, added;  // by their output
  std::size_t values = 0;               // compared
  std::vector<ValueChange> moved;       // those that moved farthest first
  std::vector<ValueChange> retyped;     // of another type, or of integers in one alone
  std::vector<OptionChange> options;
};

// "99.70"; "exact" for what has no noise.
std::string figure_text(const FigureDef& def, double value);

// Nodes are matched by their output, values by name and by the node that stores them.
ReportDiff diff(ReportDigest old, ReportDigest now);

// Limits on how much worse figures become, by the name of a gate of figure_defs().
struct DiffGates {
  std::map<std::string_view, double> limits = {};

  // In the order of figure_defs(), each output for itself. What a report does not have misses.
  std::vector<JudgedGate> judge(const ReportDiff& diff) const;
};

// "intaglio.diff/1".
Json to_json(const ReportDiff& diff, const std::vector<JudgedGate>& gates);

}  // namespace intaglio
