#include "apps/report/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/report/report.h"

namespace intaglio {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

const DigestFigure* find(const std::vector<DigestFigure>& figures, const FigureDef* def,
                         const std::string& of) {
  const auto it = std::ranges::find_if(
      figures, [&](const DigestFigure& f) { return f.def == def && f.of == of; });
  return it == figures.end() ? nullptr : &*it;
}

// In the order of the table; of outputs in that of the new report, then those that are gone.
std::vector<FigureChange> figure_changes(const ReportDigest& old, const ReportDigest& now) {
  std::vector<FigureChange> changes;
  for (const FigureDef& def : figure_defs()) {
    for (const DigestFigure& f : now.figures) {
      if (f.def != &def) continue;
      const DigestFigure* before = find(old.figures, &def, f.of);
      changes.push_back({&def, f.of, before ? std::optional(*before) : std::nullopt, f});
    }
    for (const DigestFigure& f : old.figures)
      if (f.def == &def && find(now.figures, &def, f.of) == nullptr)
        changes.push_back({&def, f.of, f, std::nullopt});
  }
  return changes;
}

// --- Nodes ---

void compare_nodes(const ReportDigest& old, const ReportDigest& now, ReportDiff& out) {
  std::map<std::string, const DigestNode*> before;
  for (const DigestNode& node : old.nodes) before.emplace(node.output, &node);
  std::set<std::string> met;
  for (const DigestNode& node : now.nodes) {
    const auto it = before.find(node.output);
    if (it == before.end()) {
      out.added.push_back(node);
    } else if (met.insert(node.output).second && it->second->status != node.status) {
      out.nodes.push_back({*it->second, node});
    }
  }
  for (const DigestNode& node : old.nodes)
    if (!met.contains(node.output)) out.gone.push_back(node);
}

// --- Values ---

using Values = std::multimap<std::string, const DigestValue*>;

// The old entry for a new one: stored by the same node, else the only one of its name.
const DigestValue* find_value(const Values& before, const DigestValue& value) {
  const auto [first, last] = before.equal_range(value.name);
  for (auto it = first; it != last; ++it)
    if (it->second->node == value.node) return it->second;
  return std::distance(first, last) == 1 ? first->second : nullptr;
}

void compare_values(const ReportDigest& old, const ReportDigest& now, ReportDiff& out) {
  Values before;
  for (const DigestValue& value : old.values) before.emplace(value.name, &value);
  for (const DigestValue& value : now.values) {
    const DigestValue* other = find_value(before, value);
    if (other == nullptr) continue;
    ++out.values;
    const ValueChange change{*other, value};
    if (change.moved()) out.moved.push_back(change);
    if (change.retyped()) out.retyped.push_back(change);
  }
  std::ranges::stable_sort(out.moved, [](const ValueChange& a, const ValueChange& b) {
    return *a.moved() > *b.moved();
  });
}

// --- Options ---

std::vector<OptionChange> option_changes(const Json& old, const Json& now) {
  std::vector<OptionChange> changes;
  for (const auto& [name, value] : now.items())
    if (const Json before = old.value(name, Json()); before != value)
      changes.push_back({name, before, value});
  for (const auto& [name, value] : old.items())
    if (!now.contains(name)) changes.push_back({name, value, Json()});
  return changes;
}

// --- Notes ---

std::vector<std::string> notes_on(const ReportDigest& old, const ReportDigest& now) {
  std::vector<std::string> notes;
  const auto note = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b)
      notes.push_back(
          fmt::format("{}: '{}' and '{}'", what, a.empty() ? "none" : a, b.empty() ? "none" : b));
  };
  if (old.model.sha256 != now.model.sha256)
    notes.push_back(fmt::format("the float models differ: {} ({}...) and {} ({}...)",
                                old.model.path, old.model.sha256.substr(0, 8), now.model.path,
                                now.model.sha256.substr(0, 8)));
  note("other versions of intaglio wrote them", old.version, now.version);
  note("they are for other targets", old.target, now.target);
  note("the models have other forms", old.format, now.format);
  note("ranges were chosen by other methods", old.method, now.method);
  if (old.data != now.data) notes.emplace_back("they were calibrated on other samples");
  if (old.samples != now.samples || old.evaluation_source != now.evaluation_source)
    notes.push_back(fmt::format("they were compared on other samples: {} ({}) and {} ({})",
                                old.samples, old.evaluation_source, now.samples,
                                now.evaluation_source));
  return notes;
}

// --- Gates ---

double width(const DigestValue& value) { return *value.hi - *value.lo; }

std::string what(const FigureChange& change) {
  return change.of.empty() ? std::string(change.def->head)
                           : fmt::format("{} of output '{}'", change.def->head, change.of);
}

// How far two shares may truly lie apart, with 95 % confidence: Newcombe's hybrid score interval
// for the difference of independent proportions (Newcombe 1998, Statistics in Medicine 17, method
// 10). Models that are judged by the same samples differ by less: it errs on the wide side.
std::optional<ConfidenceInterval> interval_of_fall(const FigureChange& change) {
  if (!change.old || !change.now || !change.old->interval || !change.now->interval) return {};
  const double a = change.old->value, b = change.now->value;
  const ConfidenceInterval &of_a = *change.old->interval, &of_b = *change.now->interval;
  return ConfidenceInterval{a - b - std::hypot(a - of_a.lo, of_b.hi - b),
                            a - b + std::hypot(of_a.hi - a, b - of_b.lo)};
}

JudgedGate judged(const FigureChange& change, double limit) {
  const FigureDef& def = *change.def;
  JudgedGate gate{def.gate, limit, {.of = change.of}};
  const auto worse = change.worse_by();
  if (!worse) {
    gate.outcome.missed =
        fmt::format("not both reports have {}, so that there is no --{}", what(change), def.gate);
    return gate;
  }
  gate.outcome.measured = *worse;
  gate.outcome.interval = interval_of_fall(change);
  if (*worse > limit)
    gate.outcome.missed =
        fmt::format("{} goes from {} to {}, worse by {}{}, --{} allows {}", what(change),
                    figure_text(def, change.old->value), figure_text(def, change.now->value),
                    fmt::format("{:.{}f}", *worse, def.relative ? 2 : def.decimals),
                    def.relative ? " %" : "", def.gate, limit);
  return gate;
}

// --- JSON ---

Json side(const ReportDigest& d) {
  return {{"report", d.path},
          {"version", d.version},
          {"model", {{"path", d.model.path}, {"sha256", d.model.sha256}}},
          {"output", {{"path", d.output.path}, {"sha256", d.output.sha256}}},
          {"format", d.format},
          {"target", d.target},
          {"method", d.method},
          {"samples", d.samples},
          {"evaluation_source", d.evaluation_source.empty() ? Json() : Json(d.evaluation_source)}};
}

// What is exact has no number.
Json figure_json(const std::optional<DigestFigure>& figure) {
  if (!figure) return {};
  return {
      {"value", number(figure->value)},
      {"exact", !std::isfinite(figure->value)},
      {"interval", figure->interval ? Json{figure->interval->lo, figure->interval->hi} : Json()}};
}

Json figures_json(const ReportDiff& diff) {
  Json list = Json::array();
  for (const FigureChange& c : diff.figures)
    list.push_back({{"name", c.def->name},
                    {"output", c.of.empty() ? Json() : Json(c.of)},
                    {"old", figure_json(c.old)},
                    {"new", figure_json(c.now)},
                    {"worse_by", number(c.worse_by())}});
  return list;
}

Json node_json(const DigestNode& node) {
  return {{"name", node.name}, {"op", node.op}, {"output", node.output}};
}

Json nodes_json(const ReportDiff& diff) {
  const auto list = [](const std::vector<DigestNode>& nodes) {
    Json out = Json::array();
    for (const DigestNode& node : nodes) {
      out.push_back(node_json(node));
      out.back()["status"] = node.status;
    }
    return out;
  };
  Json changed = Json::array();
  for (const NodeChange& c : diff.nodes) {
    Json entry = node_json(c.now);
    entry["old"] = {{"status", c.old.status}, {"reason", c.old.reason}};
    entry["new"] = {{"status", c.now.status}, {"reason", c.now.reason}};
    changed.push_back(std::move(entry));
  }
  return {{"changed", changed}, {"gone", list(diff.gone)}, {"added", list(diff.added)}};
}

Json value_json(const ValueChange& change) {
  const DigestValue& now = change.now;
  Json entry = {{"name", now.name}, {"kind", now.kind}};
  if (!now.node.empty()) entry["node"] = now.node;
  const auto side_of = [](const DigestValue& v) {
    return Json{{"type", v.type.empty() ? Json() : Json(v.type)},
                {"lo", number(v.lo)},
                {"hi", number(v.hi)}};
  };
  entry["old"] = side_of(change.old);
  entry["new"] = side_of(change.now);
  entry["moved"] = number(change.moved());
  return entry;
}

Json values_json(const ReportDiff& diff) {
  Json moved = Json::array(), retyped = Json::array();
  for (const ValueChange& change : diff.moved) moved.push_back(value_json(change));
  for (const ValueChange& change : diff.retyped) retyped.push_back(value_json(change));
  return {{"compared", diff.values}, {"moved", moved}, {"retyped", retyped}};
}

}  // namespace

std::optional<double> FigureChange::worse_by() const {
  if (!old || !now) return std::nullopt;
  const double sign = def->small ? 1 : -1, a = old->value, b = now->value;
  if (a == b) return 0;
  if (!def->relative) return sign * (b - a);
  return a == 0 ? sign * (b > 0 ? infinity : -infinity) : sign * 100 * (b - a) / a;
}

std::optional<double> ValueChange::moved() const {
  if (!old.lo || !old.hi || !now.lo || !now.hi) return std::nullopt;
  const double most = std::max(std::abs(*now.lo - *old.lo), std::abs(*now.hi - *old.hi));
  if (most == 0) return std::nullopt;
  return width(old) > 0 ? most / width(old) : infinity;
}

std::string figure_text(const FigureDef& def, double value) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, def.decimals) : "exact";
}

ReportDiff diff(ReportDigest old, ReportDigest now) {
  ReportDiff out;
  out.notes = notes_on(old, now);
  out.figures = figure_changes(old, now);
  compare_nodes(old, now, out);
  compare_values(old, now, out);
  out.options = option_changes(old.options, now.options);
  out.old = std::move(old);
  out.now = std::move(now);
  return out;
}

std::vector<JudgedGate> DiffGates::judge(const ReportDiff& diff) const {
  std::vector<JudgedGate> gates;
  for (const FigureDef& def : figure_defs()) {
    const auto limit = limits.find(def.gate);
    if (limit == limits.end()) continue;
    const std::size_t before = gates.size();
    for (const FigureChange& change : diff.figures)
      if (change.def == &def) gates.push_back(judged(change, limit->second));
    if (gates.size() == before) gates.push_back(judged({&def, "", {}, {}}, limit->second));
  }
  return gates;
}

Json to_json(const ReportDiff& diff, const std::vector<JudgedGate>& gates) {
  Json options = Json::array();
  for (const OptionChange& c : diff.options)
    options.push_back({{"name", c.name}, {"old", c.old}, {"new", c.now}});
  return {{"schema", "intaglio.diff/1"},   {"command", "diff"},
          {"tool", tool_json()},           {"old", side(diff.old)},
          {"new", side(diff.now)},         {"notes", diff.notes},
          {"figures", figures_json(diff)}, {"nodes", nodes_json(diff)},
          {"values", values_json(diff)},   {"options", options},
          {"gates", gates_json(gates)}};
}

}  // namespace intaglio
