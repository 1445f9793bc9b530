// Padding: tokens that a mask takes out of a sample, and whose outputs nobody reads.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// The number of the input [N,T] that masks tokens, by its name ("attention_mask"), where another
// input has the same number of axes; nullopt: there is none, or several.
std::optional<std::size_t> mask_input(const Graph& graph);

// The mask of one sample. Outputs [N,T,...] of the same N and T hold something for each token.
class TokenMask {
 public:
  TokenMask() = default;  // masks nothing
  // mask: ones and zeros, of any type; anything else, a bias of scores for one, masks nothing.
  explicit TokenMask(const Tensor& mask);

  // Whether an output of this shape holds tokens of which some are masked.
  bool applies_to(const Shape& output) const;
  bool is_real(std::size_t token) const { return real_[token]; }
  std::size_t tokens() const { return real_.size(); }  // 0: masks nothing
  std::size_t masked() const { return masked_; }
  // What an output to which it applies holds for the tokens that are not masked, in order.
  std::vector<float> real_part(std::span<const float> output) const;

 private:
  Shape shape_;
  std::vector<bool> real_;  // by token, N times T
  std::size_t masked_ = 0;
};

}  // namespace intaglio
