#include "lib/eval/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "lib/base/team.h"
#include "lib/eval/metrics.h"

namespace intaglio {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using Scores = std::span<const float>;

// Of the scores of one position. log_sum is NaN, or infinite, where they are.
struct Row {
  std::size_t best = 0;
  double log_sum = 0;

  explicit Row(Scores scores) : best(best_of(scores)) {
    const double peak = scores[best];
    double sum = 0;
    for (const float s : scores) sum += std::exp(double{s} - peak);
    log_sum = peak + std::log(sum);
  }
  bool finite() const { return std::isfinite(log_sum); }
};

double divergence(Scores p, const Row& of_p, Scores q, const Row& of_q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (const double probability = std::exp(double{p[i]} - of_p.log_sum); probability > 0)
      sum += probability * (double{p[i]} - double{q[i]});
  return std::max(0.0, sum - of_p.log_sum + of_q.log_sum);  // below 0 by rounding alone
}

// Of a token; NaN is as good as no probability.
double surprise(Scores scores, const Row& row, std::size_t token) {
  const double nll = row.log_sum - double{scores[token]};
  return std::isnan(nll) ? infinity : nll;
}

struct Positions {
  Scores scores, reference;  // of all positions; reference: empty without one
  std::vector<std::int64_t> ids;
  std::vector<bool> counts;  // a token stands there
  std::size_t length = 0, vocabulary = 0;

  // The token behind a position; nullopt: there is none.
  std::optional<std::size_t> next(std::size_t at) const {
    if (at % length + 1 == length || !counts[at + 1]) return std::nullopt;
    return static_cast<std::size_t>(ids[at + 1]);
  }
};

TokenErrors measure_position(const Positions& p, std::size_t at) {
  TokenErrors errors;
  const auto row_of = [&](Scores all) { return all.subspan(at * p.vocabulary, p.vocabulary); };
  const Scores scores = row_of(p.scores);
  const Row row(scores);
  const auto next = p.next(at);
  errors.predicted = next ? 1 : 0;
  if (!p.reference.empty()) {
    const Scores expected = row_of(p.reference);
    const Row reference(expected);
    if (!reference.finite()) return {.left_out = 1};
    errors.kl = row.finite() ? divergence(expected, reference, scores, row) : infinity;
    errors.same = row.finite() && row.best == reference.best ? 1 : 0;
    if (next) errors.reference_nll = surprise(expected, reference, *next);
  } else if (!row.finite()) {
    return {.left_out = 1};
  }
  errors.positions = 1;
  if (next) errors.nll = surprise(scores, row, *next);
  return errors;
}

void require_scores(const Tensor& ids, const Tensor& scores, const Tensor* reference) {
  const Shape& shape = scores.shape();
  if (shape.size() != 3 || ids.rank() != 2 || shape[0] != ids.dim(0) || shape[1] != ids.dim(1) ||
      shape[2] < 1)
    throw Error(Code::data, fmt::format("scores {} are not those of each of the tokens {}",
                                        to_string(shape), to_string(ids.shape())));
  if (reference != nullptr && reference->shape() != shape)
    throw Error(Code::data,
                fmt::format("scores have shape {}, the reference's have {}", to_string(shape),
                            to_string(reference->shape())),
                "Give the float model that this one was made from.");
}

// As places among the scores: ids below 0 count from the end.
std::vector<std::int64_t> token_places(const Tensor& ids, std::int64_t vocabulary) {
  std::vector<std::int64_t> places = ids.to_vector<std::int64_t>();
  for (std::int64_t& id : places) {
    if (id < 0) id += vocabulary;
    if (id < 0 || id >= vocabulary)
      throw Error(Code::data, fmt::format("a token id beyond the {} scores", vocabulary),
                  "Give data that were made for this model, with the same vocabulary.");
  }
  return places;
}

// Which positions hold a token.
std::vector<bool> unmasked(const Tensor& ids, const Tensor* mask) {
  std::vector<bool> counts(static_cast<std::size_t>(ids.size()), true);
  if (mask == nullptr || mask->shape() != ids.shape()) return counts;
  const std::vector<double> values = mask->to_vector<double>();
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = values[i] != 0;
  return counts;
}

}  // namespace

void TokenErrors::merge(const TokenErrors& other) {
  positions += other.positions, same += other.same;
  predicted += other.predicted, left_out += other.left_out;
  kl += other.kl, nll += other.nll, reference_nll += other.reference_nll;
  compared |= other.compared;
}

std::optional<double> TokenErrors::mean_nll() const {
  if (predicted == 0) return std::nullopt;
  return nll / static_cast<double>(predicted);
}

std::optional<double> TokenErrors::perplexity() const {
  if (predicted == 0) return std::nullopt;
  return std::exp(*mean_nll());
}

std::optional<double> TokenErrors::reference_perplexity() const {
  if (predicted == 0 || !compared) return std::nullopt;
  return std::exp(reference_nll / static_cast<double>(predicted));
}

std::optional<double> TokenErrors::perplexity_rise() const {
  const auto before = reference_perplexity();
  if (!before) return std::nullopt;
  return 100 * (std::exp((nll - reference_nll) / static_cast<double>(predicted)) - 1);
}

std::optional<double> TokenErrors::mean_kl() const {
  if (positions == 0 || !compared) return std::nullopt;
  return kl / static_cast<double>(positions);
}

std::optional<Share> TokenErrors::same_tokens() const {
  if (positions == 0 || !compared) return std::nullopt;
  return Share{same, positions};
}

TokenErrors measure_tokens(const LanguagePlan& plan, std::span<const Tensor> feeds,
                           const std::vector<Tensor>* reference, std::span<const Tensor> outputs) {
  const Tensor& ids = feeds[plan.ids];
  const Tensor* expected = reference == nullptr ? nullptr : &(*reference)[plan.output];
  require_scores(ids, outputs[plan.output], expected);
  const Tensor scores = floats(outputs[plan.output]);
  const Tensor expected_scores = expected == nullptr ? Tensor() : floats(*expected);
  const Positions p{
      .scores = scores.data<float>(),
      .reference = expected == nullptr ? Scores() : expected_scores.data<float>(),
      .ids = token_places(ids, scores.dim(2)),
      .counts = unmasked(ids, plan.mask ? &feeds[*plan.mask] : nullptr),
      .length = static_cast<std::size_t>(ids.dim(1)),
      .vocabulary = static_cast<std::size_t>(scores.dim(2)),
  };
  std::vector<TokenErrors> each(p.ids.size());
  split(std::ssize(each), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
      if (p.counts[i]) each[i] = measure_position(p, i);
  });
  TokenErrors all;
  for (const TokenErrors& one : each) all.merge(one);
  all.compared = expected != nullptr;
  return all;
}

}  // namespace intaglio
