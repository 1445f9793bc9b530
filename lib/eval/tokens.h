// What a language model says of the next token, and how far it is from its reference there.
//
//   perplexity   exp of the mean, over tokens that follow another one, of -log p(token)
//   KL           mean over positions of sum p log(p / q), p being the reference's probabilities and
//                q the model's, in nats (Kullback, Leibler 1951)
//   same token   share of positions with the same most likely token
//
// Probabilities are softmax of the scores, computed in double from their largest one on. Positions
// that a mask leaves out, and tokens that follow none, do not count.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lib/eval/share.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Where scores, token ids and mask are.
struct LanguagePlan {
  std::size_t output = 0;                // scores [batch, sequence, vocabulary]
  std::size_t ids = 0;                   // the feed of token ids [batch, sequence]
  std::optional<std::size_t> mask = {};  // the feed that is 0 where no token stands
};

// Sums over positions. merge() is exact up to rounding: merge in a fixed order.
struct TokenErrors {
  std::size_t positions = 0, same = 0;  // that were compared; with the same most likely token
  std::size_t predicted = 0;            // tokens that follow another one
  std::size_t left_out = 0;             // positions whose scores in the reference are not finite
  double kl = 0, nll = 0, reference_nll = 0;  // nll: of -log p
  bool compared = false;                      // with a reference

  void merge(const TokenErrors& other);

  // nullopt: there is nothing to take a mean of. Infinite where scores of the model are NaN, or a
  // token has no probability at all.
  std::optional<double> perplexity() const;
  std::optional<double> reference_perplexity() const;
  std::optional<double> perplexity_rise() const;  // in percent of the reference's
  std::optional<double> mean_kl() const;
  std::optional<double> mean_nll() const;
  std::optional<Share> same_tokens() const;
};

// One sample. reference: null without one. Shares its loops with the team in use (team.h). Throws
// Code::data where the scores of both have different shapes, or are not of these tokens.
TokenErrors measure_tokens(const LanguagePlan& plan, std::span<const Tensor> feeds,
                           const std::vector<Tensor>* reference, std::span<const Tensor> outputs);

}  // namespace intaglio
