// What language models take besides token ids, made by rule where the data do not give it.
//
//   attention_mask                  ones, zeros where the ids are filled up
//   position_ids, cache_position    0..N-1
//   token_type_ids, segment ids     zeros
//   past keys and values, caches    empty: length 0 along the axis of positions
//   seqlens_k                       N-1 for each of the batch (com.microsoft's GroupQueryAttention)
//   total_sequence_length           N
//   use_cache_branch                false
//
// Which is which: lib/graph/token_feeds.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/graph/token_feeds.h"

namespace intaglio {

class TokenInputs {
 public:
  // feeds: all inputs of the model, used during the call only.
  explicit TokenInputs(std::span<const Value* const> feeds);

  // The input of token ids; nullopt: the model takes none.
  std::optional<std::size_t> ids() const { return ids_; }
  // The length of a sequence that it is fixed to.
  std::optional<std::size_t> fixed_length() const { return fixed_length_; }

  bool makes(std::size_t feed) const { return made_.contains(feed); }
  bool makes_any() const { return !made_.empty(); }
  // Why a feed that looks like one of these is not made; empty: it does not.
  std::string refusal(std::size_t feed) const;

  // ids: [batch, sequence]; padding: the token that rows are filled up with. Throws Code::data, with
  // the reason alone, where the model fixes a length that does not fit.
  Tensor make(std::size_t feed, const Tensor& ids, std::optional<std::int64_t> padding) const;

  // "'attention_mask' ones, 'position_ids' 0..N-1, 60 empty past tensors ('past.0.key' [batch,3,0,64])".
  std::string text(std::span<const std::size_t> feeds) const;

 private:
  struct Made {
    std::string name;
    TokenFeed rule;
    DType dtype;
    Dims dims;
    std::size_t batch_axis = 0, free_axis = 0;  // of a past
  };
  void consider(const Value& feed, std::size_t index);
  void consider_past(const Value& feed, std::size_t index);

  std::optional<std::size_t> ids_, fixed_length_;
  std::string batch_symbol_;
  std::map<std::size_t, Made> made_;
  std::map<std::size_t, std::string> refused_;
};

}  // namespace intaglio
