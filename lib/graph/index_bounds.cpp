#include "lib/graph/index_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace intaglio {
namespace {

using namespace std::string_view_literals;

constexpr std::array moving = {"Cast"sv,    "Flatten"sv, "Identity"sv,  "Reshape"sv,
                               "Squeeze"sv, "Slice"sv,   "Transpose"sv, "Unsqueeze"sv};

std::optional<std::int64_t> length_of(const Value& table, std::int64_t axis) {
  if (!table.dims()) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(table.dims()->size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return std::nullopt;
  const Dim& dim = (*table.dims())[static_cast<std::size_t>(axis)];
  return dim.known() ? std::optional(dim.value) : std::nullopt;
}

// Takes in the tables that are read with the value as indices.
void follow(const Value& value, IndexBound& bound) {
  for (const Use& use : value.uses()) {
    const Node& node = *use.node;
    if (node.is("Gather") && use.index == 1) {
      const auto length = length_of(*node.input(0), node.attr_int("axis", 0));
      if (length && (bound.table.empty() || *length < bound.length)) {
        bound.table = node.input(0)->name();
        bound.length = *length;
      }
    } else if (use.index == 0 && node.domain().empty() &&
               std::ranges::find(moving, node.op()) != moving.end() && node.output(0) != nullptr) {
      follow(*node.output(0), bound);
    }
  }
}

}  // namespace

std::vector<IndexBound> index_bounds(std::span<const Value* const> feeds) {
  std::vector<IndexBound> bounds;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (is_float(feeds[i]->dtype())) continue;
    IndexBound bound{.feed = i, .input = feeds[i]->name(), .table = {}, .length = 0};
    follow(*feeds[i], bound);
    if (!bound.table.empty()) bounds.push_back(std::move(bound));
  }
  return bounds;
}

void require_within(const IndexBound& bound, const Tensor& tensor) {
  for (const auto index : tensor.to_vector<std::int64_t>())
    if (index < -bound.length || index >= bound.length)
      throw Error(Code::data,
                  fmt::format("'{}' holds {}, but '{}' has {} rows", bound.input, index,
                              bound.table, bound.length),
                  "Give data that were made for this model, with the same vocabulary.");
}

}  // namespace intaglio
