#include "calibration/tokens/token_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "lib/base/error.h"

namespace intaglio {
namespace {

bool is_whole(DType type) { return type == DType::s64 || type == DType::s32; }

// Whether an input has the type and the rank that its rule makes.
bool suits(const Value& feed, TokenFeed rule) {
  const int rank = feed.rank();
  switch (rule) {
    case TokenFeed::mask:
      return rank == 2 && feed.dtype() != DType::undefined;
    case TokenFeed::positions:
    case TokenFeed::lengths:
      return (rank == 1 || rank == 2) && is_whole(feed.dtype());
    case TokenFeed::types:
      return rank == 2 && is_whole(feed.dtype());
    case TokenFeed::past:
      return rank >= 3 && is_float(feed.dtype());
    case TokenFeed::total:
      return (rank == 0 || rank == 1) && is_whole(feed.dtype());
    case TokenFeed::branch:
      return rank <= 1 && feed.dtype() == DType::boolean;
  }
  return false;
}

Tensor filled(DType type, const Shape& shape, const std::vector<std::int64_t>& values) {
  return convert(Tensor::of<std::int64_t>(shape, values), type);
}

// Ones, and zeros from where nothing but padding follows.
std::vector<std::int64_t> mask_of(const Tensor& ids, std::optional<std::int64_t> padding) {
  const std::vector<std::int64_t> tokens = ids.to_vector<std::int64_t>();
  std::vector<std::int64_t> mask(tokens.size(), 1);
  const auto length = static_cast<std::size_t>(ids.dim(1));
  for (std::size_t row = 0; padding && row < tokens.size(); row += length)
    for (std::size_t i = row + length; i > row && tokens[i - 1] == *padding; --i) mask[i - 1] = 0;
  return mask;
}

}  // namespace

TokenInputs::TokenInputs(std::span<const Value* const> feeds) : ids_(token_ids(feeds)) {
  if (!ids_) return;
  const Dims& dims = *feeds[*ids_]->dims();
  batch_symbol_ = dims[0].symbol;
  if (dims[1].known())
    fixed_length_ = static_cast<std::size_t>(std::max<std::int64_t>(dims[1].value, 0));
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (i != *ids_) consider(*feeds[i], i);
}

void TokenInputs::consider(const Value& feed, std::size_t index) {
  const auto rule = token_feed(feed);
  if (!rule) return;
  if (!suits(feed, *rule))
    refused_[index] = "its type or rank is not the usual one";
  else if (*rule == TokenFeed::past)
    consider_past(feed, index);
  else
    made_[index] = {feed.name(), *rule, feed.dtype(), *feed.dims()};
}

// The axis of positions is the one that is free besides that of the batch.
void TokenInputs::consider_past(const Value& feed, std::size_t index) {
  const Dims& dims = *feed.dims();
  std::vector<std::size_t> free;
  for (std::size_t a = 0; a < dims.size(); ++a)
    if (!dims[a].known()) free.push_back(a);
  const auto is_batch = [&](std::size_t a) {
    return (!batch_symbol_.empty() && dims[a].symbol == batch_symbol_) ||
           dims[a].symbol.find("batch") != std::string::npos;
  };
  auto batch = std::ranges::find_if(free, is_batch);
  if (batch == free.end() && free.size() > 1) batch = free.begin();
  Made past{feed.name(), TokenFeed::past, feed.dtype(), dims, dims.size(), 0};
  if (batch != free.end()) {
    past.batch_axis = *batch;
    free.erase(batch);
  }
  if (free.size() == 1) {
    past.free_axis = free.front();
    made_[index] = past;
  } else {
    refused_[index] = free.empty() ? "a past of a fixed length cannot be empty"
                                   : "the graph does not say how many heads it has, or how long";
  }
}

std::string TokenInputs::refusal(std::size_t feed) const {
  const auto it = refused_.find(feed);
  return it == refused_.end() ? "" : it->second;
}

Tensor TokenInputs::make(std::size_t feed, const Tensor& ids,
                         std::optional<std::int64_t> padding) const {
  const Made& m = made_.at(feed);
  const std::int64_t batch = ids.dim(0), length = ids.dim(1);
  Shape shape = m.dims.size() == 2 ? Shape{batch, length} : Shape{length};
  std::vector<std::int64_t> values;
  switch (m.rule) {
    case TokenFeed::mask:
      values = mask_of(ids, padding);
      break;
    case TokenFeed::positions:
      for (std::int64_t i = 0; i < (m.dims.size() == 2 ? batch : 1) * length; ++i)
        values.push_back(i % length);
      break;
    case TokenFeed::types:
      values.assign(static_cast<std::size_t>(batch * length), 0);
      break;
    case TokenFeed::lengths:
      shape = m.dims.size() == 2 ? Shape{batch, 1} : Shape{batch};
      values.assign(static_cast<std::size_t>(batch), length - 1);
      break;
    case TokenFeed::total:
    case TokenFeed::branch:
      shape = Shape(m.dims.size(), 1);
      values = {m.rule == TokenFeed::total ? length : 0};
      break;
    case TokenFeed::past:
      shape.clear();
      for (std::size_t a = 0; a < m.dims.size(); ++a)
        shape.push_back(a == m.free_axis ? 0 : a == m.batch_axis ? batch : m.dims[a].value);
      break;
  }
  for (std::size_t a = 0; a < shape.size(); ++a)
    if (m.dims[a].known() && m.dims[a].value != shape[a])
      throw Error(Code::data,
                  fmt::format("input '{}' {} would be made as {}", m.name, to_string(m.dims),
                              to_string(shape)),
                  fmt::format("Give it its own data: `data {}=PATH`.", m.name));
  return filled(m.dtype, shape, values);
}

std::string TokenInputs::text(std::span<const std::size_t> feeds) const {
  std::vector<std::string> parts;
  std::vector<const Made*> pasts;
  for (const std::size_t feed : feeds) {
    const Made& m = made_.at(feed);
    if (m.rule == TokenFeed::past) pasts.push_back(&m);
    if (m.rule == TokenFeed::past) continue;
    constexpr std::array<std::string_view, 7> words = {"ones", "0..N-1", "zeros", "",
                                                       "N-1",  "N",      "false"};
    parts.push_back(fmt::format("'{}' {}", m.name, words[static_cast<std::size_t>(m.rule)]));
  }
  if (!pasts.empty()) {
    Dims dims = pasts.front()->dims;
    dims[pasts.front()->free_axis] = {0, ""};
    parts.push_back(fmt::format("{} empty past{} ('{}' {}{})", pasts.size(),
                                pasts.size() == 1 ? "" : "s", pasts.front()->name, to_string(dims),
                                pasts.size() == 1 ? "" : ", ..."));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace intaglio
