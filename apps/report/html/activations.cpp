// The table of activations: a body for each value, with a row for each method.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "apps/report/html/histogram_svg.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {
namespace {

const Column number{"#", "number"}, name{"Value", "name", true},
    plot{"Histogram and ranges", "", true}, type{"Type", "type", true}, method{"Method", "", true},
    sqnr{"SQNR dB", "sqnr"}, clipped{"Clipped %", "clipped"}, from{"Range from", "lo"},
    to{"to", "hi"}, least{"Min", "min"}, most{"Max", "max"};

// One value under every method.
struct ValueRows {
  std::vector<const Json*> entries;
  const Json& first() const { return *entries.front(); }
  std::string value() const { return first()["name"].get<std::string>(); }
};

// In the order of the report, those that are quantized.
std::vector<ValueRows> quantized_values(const std::vector<MethodView>& methods) {
  std::vector<ValueRows> list;
  std::unordered_map<std::string, std::size_t> index;
  for (const MethodView& m : methods)
    for (const Json& entry : m.values) {
      if (entry["kind"] != "activation" || !entry.contains("scale")) continue;
      const auto [it, is_new] = index.emplace(entry["name"].get<std::string>(), list.size());
      if (is_new) list.emplace_back();
      list[it->second].entries.push_back(&entry);
    }
  return list;
}

std::string drawing(const ValueRows& rows, const Observations& observations) {
  const auto seen = observations.values.find(rows.value());
  if (seen == observations.values.end()) return "not observed";
  const Statistics& s = seen->second;
  std::vector<Range> ranges;
  for (const Json* e : rows.entries)
    ranges.push_back({(*e)["lo"].get<float>(), (*e)["hi"].get<float>()});
  const std::string svg = histogram_svg(s, ranges, rows.value());
  if (!svg.empty()) return svg;
  return s.finite() > 0 && s.zeros == s.finite() ? "all values are 0" : "no histogram";
}

// Each note once, with the methods that made it unless all did.
std::string notes(const ValueRows& rows, const std::vector<MethodView>& methods) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> makers;
  for (std::size_t i = 0; i < rows.entries.size(); ++i)
    for (const Json& note : (*rows.entries[i])["notes"]) {
      const auto it = std::find_if(makers.begin(), makers.end(),
                                   [&](const auto& known) { return known.first == note; });
      it == makers.end() ? makers.push_back({note, {i}}) : it->second.push_back(i);
    }
  std::string items;
  for (const auto& [note, indices] : makers) {
    items += "<li>";
    if (indices.size() < rows.entries.size())
      for (const std::size_t i : indices)
        items += code(methods[i].text) + (i == indices.back() ? ": " : ", ");
    items += escaped(note) + "</li>";
  }
  return items;
}

// What the numbers do not tell: rules that shaped the range, values that do not count.
std::string remarks(const ValueRows& rows, const std::vector<MethodView>& methods) {
  std::string items;
  const Json& e = rows.first();
  for (const char* odd : {"nan", "inf"})
    if (e.contains(odd) && e[odd].get<std::uint64_t>() > 0)
      items += fmt::format("<li>{} {}</li>", grouped(e[odd].get<std::uint64_t>()), odd);
  if (e["group"] != e["name"])
    items += "<li>same scale as " + code(e["group"].get<std::string>()) + "</li>";
  items += notes(rows, methods);
  return items.empty() ? "" : "<ul>" + items + "</ul>";
}

std::string numbers_of_method(const Json& entry) {
  return cell(figure(entry, "sqnr_db", "{:.2f}"), sqnr) + cell(clipped_percent(entry), clipped) +
         cell(figure(entry, "lo"), from) + cell(figure(entry, "hi"), to);
}

std::string body(std::size_t index, const ValueRows& rows, const std::vector<MethodView>& methods,
                 const Observations& observations) {
  const std::size_t height = rows.entries.size();
  const Json& e = rows.first();
  std::string out = "<tbody><tr>" + cell(std::to_string(index + 1), number, height);
  out += row_head(code(rows.value()) + remarks(rows, methods), name, height);
  out += cell(drawing(rows, observations), plot, height);
  for (std::size_t i = 0; i < height; ++i) {
    if (i > 0) out += "<tr>";
    if (methods.size() > 1)
      out += cell(fmt::format("<span class=\"k m{}\">{}</span>", i % 6, code(methods[i].text)),
                  method);
    out += numbers_of_method(*rows.entries[i]);
    if (i == 0)
      out += cell(figure(e, "min"), least, height) + cell(figure(e, "max"), most, height) +
             cell(escaped(e["type"].get<std::string>()), type, height);
    out += "</tr>\n";
  }
  return out + "</tbody>\n";
}

std::string legend(const std::vector<MethodView>& methods) {
  std::string text =
      "<p>Bars: how many values were observed, on a logarithmic scale; the thin line is 0. "
      "Brackets below "
      "the bars: the range that the codes cover";
  if (methods.size() > 1) {
    text += ", from top to bottom under ";
    for (std::size_t i = 0; i < methods.size(); ++i)
      text += fmt::format("{}<span class=\"k m{}\">{}</span>", i == 0 ? "" : ", ", i % 6,
                          code(methods[i].text));
  }
  text +=
      ". Clipped: observed values beyond it. Dead: zero in every sample, so that nothing but 0 "
      "has a code.";
  if (methods.size() > 1)
    text +=
        " Upward, a value is sorted by the least number of its methods, downward by the largest.";
  return text + "</p>\n";
}

}  // namespace

std::string activations_section(const PageSource& source) {
  const std::vector<MethodView> methods = methods_of(source.report);
  const std::vector<ValueRows> values = quantized_values(methods);
  std::string out = "<section id=\"activations\"><h2>Activations</h2>\n";
  if (values.empty())
    return out + "<p>This form quantizes no activation ahead of the run.</p></section>\n";
  std::vector<Column> columns = {number, name, plot};
  if (methods.size() > 1) columns.push_back(method);
  columns.insert(columns.end(), {sqnr, clipped, from, to, least, most, type});
  std::string bodies;
  for (std::size_t i = 0; i < values.size(); ++i)
    bodies += body(i, values[i], methods, source.observations);
  out += legend(methods);
  out += table(
      fmt::format("{} quantized values in the order in which the model makes them", values.size()),
      columns, bodies);
  return out + "</section>\n";
}

}  // namespace intaglio::html
