#include "lib/graph/token_feeds.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace intaglio {
namespace {

using namespace std::string_view_literals;

struct Named {
  std::string_view part;  // of the name
  TokenFeed feed;
};
constexpr std::array<Named, 12> named = {{
    {"attention_mask"sv, TokenFeed::mask},
    {"input_mask"sv, TokenFeed::mask},
    {"position_ids"sv, TokenFeed::positions},
    {"cache_position"sv, TokenFeed::positions},
    {"token_type"sv, TokenFeed::types},
    {"segment_ids"sv, TokenFeed::types},
    {"use_cache_branch"sv, TokenFeed::branch},
    {"seqlens_k"sv, TokenFeed::lengths},
    {"total_sequence_length"sv, TokenFeed::total},
    {"total_seq_len"sv, TokenFeed::total},
    {"past"sv, TokenFeed::past},
    {"cache"sv, TokenFeed::past},
}};

// The places of inputs of GroupQueryAttention.
constexpr std::size_t lengths_at = 5, total_at = 6;

}  // namespace

bool is_named_mask(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.find("mask") != std::string::npos;
}

bool holds_ids(const Value& feed) {
  return feed.rank() == 2 && (feed.dtype() == DType::s64 || feed.dtype() == DType::s32);
}

std::optional<TokenFeed> token_feed(const Value& feed) {
  for (const Use& use : feed.uses()) {
    if (use.node->op() != "GroupQueryAttention") continue;
    if (use.index == lengths_at) return TokenFeed::lengths;
    if (use.index == total_at) return TokenFeed::total;
  }
  for (const Named& each : named)
    if (feed.name().find(each.part) != std::string::npos) return each.feed;
  return std::nullopt;
}

std::optional<std::size_t> token_ids(std::span<const Value* const> feeds) {
  std::optional<std::size_t> only;
  std::size_t candidates = 0;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (!holds_ids(*feeds[i])) continue;
    if (feeds[i]->name() == "input_ids") return i;
    if (!token_feed(*feeds[i])) only = i, ++candidates;
  }
  return candidates == 1 ? only : std::nullopt;
}

}  // namespace intaglio
