// The table of weights, and the short one of biases.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "apps/report/html/channels_svg.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"
#include "lib/quant/array.h"

namespace intaglio::html {
namespace {

const Column number{"#", "number"}, name{"Weight", "name", true},
    plot{"Ranges of channels", "", true}, scales{"Scales", "scales"}, sqnr{"SQNR dB", "sqnr"},
    clipped{"Clipped %", "clipped"}, least{"Min", "min"}, most{"Max", "max"},
    small{"Smallest scale", "small"}, large{"Largest scale", "large"}, raised{"Raised", "raised"},
    type{"Type", "type", true}, group{"Group", "group"}, elements{"Weights", "count"};

bool in_groups(const Json& entry) {
  return entry["kind"] == "weight" && entry.contains("block_size");
}

using Plans = std::map<std::pair<std::string, std::string>, const ConstantPlan*>;

Plans by_name_and_node(const Plan& plan) {
  Plans plans;
  for (const NodePlan& n : plan.nodes)
    for (const ConstantPlan& constant : n.constants)
      plans.emplace(std::pair(constant.name, n.name), &constant);
  return plans;
}

std::string drawing(const Json& entry, const Plans& plans, const Graph& graph) {
  const auto plan =
      plans.find({entry["name"].get<std::string>(), entry["node"].get<std::string>()});
  const Value* value = graph.find(entry["name"].get<std::string>());
  if (plan == plans.end() || value == nullptr) return no_number;
  const ConstantPlan& c = *plan->second;
  const std::vector<Range> seen = ranges_of(value->constant(), c.params.axis);
  if (std::all_of(seen.begin(), seen.end(), [](const Range& r) { return r == Range{}; }))
    return "all 0";
  std::vector<Range> codes;
  for (std::size_t i = 0; i < seen.size(); ++i)
    codes.push_back(representable(c.params, c.scheme, std::min(i, c.params.scale.size() - 1)));
  return channels_svg(seen, codes, entry["name"].get<std::string>());
}

// The reader stands below the name: the table is wide enough.
std::string head(const Json& e) {
  return row_head(code(e["name"].get<std::string>()) + "<br><span class=\"soft\">of " +
                      code(e["node"].get<std::string>()) + "</span>",
                  name);
}

std::string scale_cells(const Json& e) {
  const auto list = e["scale"].get<std::vector<double>>();
  if (list.empty()) return cell("0", scales) + cell(no_number, small) + cell(no_number, large);
  const auto [low, high] = std::minmax_element(list.begin(), list.end());
  return cell(std::to_string(list.size()), scales) + cell(significant(*low), small) +
         cell(significant(*high), large);
}

std::string common_cells(const Json& e) {
  return cell(figure(e, "sqnr_db", "{:.2f}"), sqnr) + cell(clipped_percent(e), clipped) +
         cell(figure(e, "min"), least) + cell(figure(e, "max"), most) + scale_cells(e);
}

// Columns that say the same of every weight are left out.
struct Told {
  bool raised = false, types = false;
};

Told told_of(const Json& values) {
  Told told;
  std::set<std::string> types;
  for (const Json& e : values) {
    if (e["kind"] != "weight" || in_groups(e)) continue;
    told.raised |= e.contains("raised_scales") && e["raised_scales"].is_number() &&
                   e["raised_scales"].get<double>() > 0;
    types.insert(e["type"].get<std::string>());
  }
  told.types = types.size() > 1;
  return told;
}

std::string weight_row(std::size_t index, const Json& e, const Plans& plans, const Graph& graph,
                       const Told& told) {
  return "<tbody><tr>" + cell(std::to_string(index), number) + head(e) +
         cell(drawing(e, plans, graph), plot) + common_cells(e) +
         (told.raised ? cell(figure(e, "raised_scales", "{:.0f}"), raised) : "") +
         (told.types ? cell(escaped(e["type"].get<std::string>()), type) : "") + "</tr></tbody>\n";
}

std::vector<Column> weight_columns(const Told& told) {
  std::vector<Column> columns = {number, name, plot,   sqnr,  clipped,
                                 least,  most, scales, small, large};
  if (told.raised) columns.push_back(raised);
  if (told.types) columns.push_back(type);
  return columns;
}

std::string bias_row(std::size_t index, const Json& e) {
  return "<tbody><tr>" + cell(std::to_string(index), number) + head(e) + common_cells(e) +
         "</tr></tbody>\n";
}

std::string groups_row(std::size_t index, const Json& e) {
  return fmt::format("<tr>{}{}{}{}{}{}</tr>\n", cell(std::to_string(index), number), head(e),
                     cell(e["type"].get<std::string>(), type),
                     cell(std::to_string(e["block_size"].get<std::int64_t>()), group),
                     cell(std::to_string(e["count"].get<std::int64_t>()), elements),
                     cell(figure(e, "sqnr_db", "{:.2f}"), sqnr));
}

// Weights whose neighbours share scales: too many to draw.
std::string groups_table(const Json& values) {
  std::string rows;
  std::size_t count = 0;
  for (const Json& e : values)
    if (in_groups(e)) rows += groups_row(++count, e);
  if (count == 0) return {};
  return table(fmt::format("{} weights in groups that share a scale", count),
               {number, name, type, group, elements, sqnr}, rows);
}

}  // namespace

std::string weights_section(const PageSource& source) {
  const Plans plans = by_name_and_node(source.plan);
  const Told told = told_of(values_of(source.report));
  std::string weights, biases, of_type;
  std::size_t weight_count = 0, bias_count = 0;
  for (const Json& e : values_of(source.report)) {
    if (in_groups(e)) continue;
    if (e["kind"] == "weight") {
      weights += weight_row(++weight_count, e, plans, source.prepared, told);
      of_type = e["type"].get<std::string>();
    }
    if (e["kind"] == "bias") biases += bias_row(++bias_count, e);
  }
  std::string out = "<section id=\"weights\"><h2>Weights</h2>\n";
  const std::string groups = groups_table(values_of(source.report));
  out += groups;
  if (weight_count == 0 && !groups.empty()) return out + "</section>\n";
  if (weight_count == 0) return out + "<p>No weight is stored in integers.</p></section>\n";
  out += fmt::format(
      "<p>Bars: from the smallest to the largest weight of each channel, over an outline of what "
      "its codes stand for, cut off where that is far beyond all weights (a channel of zeros has "
      "scale 1). A weight of more than {} channels shows neighbours in one bar.{}</p>\n",
      most_channel_bars,
      told.raised ? " Raised: scales that were made larger so that the bias fits." : "");
  out += table(fmt::format("{} constants stored in integers{}", weight_count,
                           told.types ? "" : ", all of them " + of_type),
               weight_columns(told), weights);
  if (bias_count > 0) {
    Column bias = name;
    bias.title = "Bias";
    out += fmt::format("<details><summary>{} biases</summary>", bias_count);
    out += table("Biases, stored in int32",
                 {number, bias, sqnr, clipped, least, most, scales, small, large}, biases);
    out += "</details>\n";
  }
  return out + "</section>\n";
}

}  // namespace intaglio::html
