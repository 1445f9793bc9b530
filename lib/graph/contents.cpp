#include "lib/graph/contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "lib/base/memory.h"

namespace intaglio {
namespace {

constexpr std::size_t most_named = 3;

void add(Contents& contents, const std::string& name, DType type, std::uint64_t elements,
         std::uint64_t bytes) {
  Contents::Constant& constant = contents.constants[name];
  constant.type = type;
  constant.elements += elements;
  constant.bytes += bytes;
}

void add_tensor(Contents& contents, const std::string& name, const Tensor& tensor) {
  add(contents, name, tensor.dtype(), static_cast<std::uint64_t>(tensor.size()), tensor.bytes());
}

void add_constant_node(Contents& contents, const Node& node) {
  const Value* made = node.output(0);
  if (!node.is("Constant") || made == nullptr) return;
  const std::string& name = made->name();
  if (node.has("value")) add_tensor(contents, name, node.attr_tensor("value"));
  if (node.has("value_float")) add(contents, name, DType::f32, 1, 4);
  if (node.has("value_int")) add(contents, name, DType::s64, 1, 8);
  if (const auto n = node.has("value_floats") ? node.attr_floats("value_floats").size() : 0; n > 0)
    add(contents, name, DType::f32, n, 4 * n);
  if (const auto n = node.has("value_ints") ? node.attr_ints("value_ints").size() : 0; n > 0)
    add(contents, name, DType::s64, n, 8 * n);
}

void collect(const Graph& graph, Contents& contents) {
  for (const Value* value : graph.values())
    if (value->is_constant()) add_tensor(contents, value->name(), value->constant());
  for (const Node* node : graph.nodes()) {
    ++contents.nodes;
    add_constant_node(contents, *node);
    for (const auto& [attr, nested] : node->nested_graphs()) collect(*nested, contents);
  }
}

struct Grown {
  std::string text;
  std::uint64_t bytes;
};

// Constants that take more bytes than before, or were not there.
std::vector<std::string> grown(const Contents& before, const Contents& after) {
  std::vector<Grown> list;
  for (const auto& [name, now] : after.constants) {
    const auto was = before.constants.find(name);
    const std::uint64_t old = was == before.constants.end() ? 0 : was->second.bytes;
    if (now.bytes <= old) continue;
    const std::string from = old == 0 ? "" : fmt::format(" (was {})", name_of(was->second.type));
    list.push_back(
        {fmt::format("'{}' {} of {}{}", name, human_bytes(now.bytes), name_of(now.type), from),
         now.bytes - old});
  }
  std::ranges::stable_sort(list, std::greater<>(), &Grown::bytes);
  std::vector<std::string> texts;
  for (const Grown& g : list)
    if (texts.size() < most_named) texts.push_back(g.text);
  return texts;
}

}  // namespace

std::uint64_t Contents::elements() const {
  std::uint64_t sum = 0;
  for (const auto& [name, constant] : constants) sum += constant.elements;
  return sum;
}

std::uint64_t Contents::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, constant] : constants) sum += constant.bytes;
  return sum;
}

Contents contents_of(const Graph& graph) {
  Contents contents;
  collect(graph, contents);
  return contents;
}

std::string size_ratio(std::uint64_t before, std::uint64_t after) {
  const auto a = static_cast<double>(before), b = static_cast<double>(after);
  return after > before ? fmt::format("{:.2f} times larger", b / a)
                        : fmt::format("{:.2f} times smaller", a / b);
}

std::string growth(const Contents& before, std::uint64_t size_before, const Contents& after,
                   std::uint64_t size_after) {
  const auto rest = [](std::uint64_t size, const Contents& c) {
    return static_cast<std::int64_t>(size) - static_cast<std::int64_t>(c.bytes());
  };
  const std::int64_t by_constants =
      static_cast<std::int64_t>(after.bytes()) - static_cast<std::int64_t>(before.bytes());
  const std::int64_t by_nodes = rest(size_after, after) - rest(size_before, before);
  const std::string constants =
      fmt::format("its constants take {} instead of {}, the largest that grew or were added: {}",
                  human_bytes(after.bytes()), human_bytes(before.bytes()),
                  fmt::join(grown(before, after), ", "));
  const std::string nodes = fmt::format(
      "it has {} nodes instead of {}, which take {} more with their names and attributes",
      after.nodes, before.nodes,
      human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(by_nodes, 0))));
  if (by_constants <= 0) return nodes;
  if (by_nodes <= 0) return constants;
  return by_constants >= by_nodes ? constants + "; " + nodes : nodes + "; " + constants;
}

}  // namespace intaglio
