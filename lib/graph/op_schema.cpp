#include "lib/graph/op_schema.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <unordered_map>

#include "lib/graph/graph.h"
#include "lib/graph/op_schema_table.h"

namespace intaglio {
namespace {

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(by); end != text.npos; end = text.find(by)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> words(std::string_view text) {
  return text.empty() ? std::vector<std::string_view>() : split(text, ' ');
}

std::uint64_t number(std::string_view text, int base) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// Takes the mark off the end of the name.
bool marked(std::string_view& name, char mark) {
  if (!name.ends_with(mark)) return false;
  name.remove_suffix(1);
  return true;
}

using Types = std::unordered_map<std::string_view, std::uint64_t>;

Parameter parameter_of(std::string_view name, std::string_view type, const Types& variables) {
  Parameter p;
  p.optional = marked(name, '?');
  p.variadic = marked(name, '*');
  p.alike = !marked(name, '*');
  p.name = name;
  const auto variable = variables.find(type);
  if (variable != variables.end()) p.variable = type;
  p.types = variable != variables.end() ? variable->second : number(type, 16);
  return p;
}

// Returns the least number of them.
std::size_t read(std::string_view text, const Types& variables, std::vector<Parameter>& list) {
  std::size_t least = 0;
  for (const std::string_view word : words(text)) {
    const auto parts = split(word, ':');
    list.push_back(parameter_of(parts[0], parts[1], variables));
    if (!list.back().optional) least = list.size();
    if (list.back().variadic) least = number(parts[2], 10);
  }
  return least;
}

OpSchema schema_in(std::string_view line) {
  const auto fields = split(line, '|');
  Types variables;
  for (const std::string_view word : words(fields[4])) {
    const auto parts = split(word, '=');
    variables[parts[0]] = number(parts[1], 16);
  }
  const auto head = words(fields[0]);
  OpSchema s;
  s.op = head[0];
  s.since = static_cast<std::int64_t>(number(head[1], 10));
  s.gone = head.size() > 2;
  s.least_inputs = read(fields[1], variables, s.inputs);
  s.least_outputs = read(fields[2], variables, s.outputs);
  for (const std::string_view word : words(fields[3])) {
    auto parts = split(word, ':');
    const bool required = marked(parts[0], '!');
    s.attributes.push_back({parts[0], parts[1][0], required});
  }
  return s;
}

struct Table {
  std::vector<OpSchema> all;
  std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> places;  // by operator
};

// The lines are sorted by operator and opset.
Table table_of(std::span<const std::string_view> lines) {
  Table table;
  table.all.reserve(lines.size());
  for (const std::string_view line : lines) {
    const std::size_t i = table.all.size();
    table.all.push_back(schema_in(line));
    table.places.try_emplace(table.all[i].op, i, i).first->second.second = i + 1;
  }
  return table;
}

const Table& table_of_domain(std::string_view domain) {
  if (domain.empty()) {
    static const Table onnx = table_of(onnx_schemas());
    return onnx;
  }
  if (domain == "ai.onnx.ml") {
    static const Table ml = table_of(ml_schemas());
    return ml;
  }
  if (domain == "com.microsoft") {
    static const Table microsoft = table_of(microsoft_schemas());
    return microsoft;
  }
  static const Table none;
  return none;
}

}  // namespace

const Parameter* OpSchema::parameter(const std::vector<Parameter>& list, std::size_t i) {
  if (i < list.size()) return &list[i];
  return !list.empty() && list.back().variadic ? &list.back() : nullptr;
}

const AttributeSchema* OpSchema::attribute(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &AttributeSchema::name);
  return found != attributes.end() ? &*found : nullptr;
}

const OpSchema* schema_of(const Node& node) {
  const Table& table = table_of_domain(node.domain());
  const auto place = table.places.find(node.op());
  if (place == table.places.end()) return nullptr;
  const OpSchema* newest = nullptr;
  for (std::size_t i = place->second.first; i < place->second.second; ++i)
    if (table.all[i].since <= node.opset()) newest = &table.all[i];
  return newest;
}

std::int64_t first_opset_of(std::string_view op) {
  const Table& table = table_of_domain("");
  const auto place = table.places.find(op);
  return place != table.places.end() ? table.all[place->second.first].since : 0;
}

const std::vector<OpSchema>& op_schemas(std::string_view domain) {
  return table_of_domain(domain).all;
}

}  // namespace intaglio
