// The inputs of language models, by what they mean: token ids, and what goes with them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

enum class TokenFeed {
  mask,       // attention_mask: 1 where a token stands, 0 where rows are filled up
  positions,  // position_ids, cache_position
  types,      // token_type_ids, segment ids
  past,       // past keys and values, caches
  lengths,    // seqlens_k of com.microsoft's GroupQueryAttention: of past and present, less 1
  total,      // its total_sequence_length
  branch,     // use_cache_branch
};

// What goes with token ids, by its name or by its place at a GroupQueryAttention; nullopt: nothing
// that is known.
std::optional<TokenFeed> token_feed(const Value& feed);

// Whether "mask" is a part of the name, whatever its case.
bool is_named_mask(std::string name);

// Whole numbers of two axes: of a batch and something behind it.
bool holds_ids(const Value& feed);

// The place among them of the input of token ids [batch, sequence]: that which is called input_ids,
// else the only one of whole numbers and rank 2 that is none of the above. nullopt: there is none.
std::optional<std::size_t> token_ids(std::span<const Value* const> feeds);

}  // namespace intaglio
