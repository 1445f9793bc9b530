#include "lib/eval/sample_answer.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace intaglio {
namespace {

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double SampleAnswer::wrong() const {
  if (label && positions == 0 && !model.classes.empty())
    return static_cast<std::int64_t>(model.classes.front().front()) == *label ? 0 : 1;
  const double lost_boxes = 1 - boxes.f1().value_or(1);
  const double wrong_characters =
      std::min(1.0, share(strings.errors, std::max<std::size_t>(1, strings.characters)));
  const auto kept = tokens.same_tokens();
  const double wrong_tokens = kept ? kept->rest().percent() / 100 : 0;
  return std::max({share(positions - same, positions), lost_boxes, wrong_characters, wrong_tokens});
}

std::optional<double> SampleAnswer::sqnr_db() const {
  std::optional<double> least;
  for (const Deviation& output : outputs)
    if (const auto db = output.sqnr_db()) least = std::min(least.value_or(*db), *db);
  return least;
}

std::optional<double> SampleAnswer::cosine() const {
  std::optional<double> least;
  for (const Deviation& output : outputs)
    if (const auto cosine = output.cosine()) least = std::min(least.value_or(*cosine), *cosine);
  return least;
}

std::vector<std::size_t> worst_first(std::span<const SampleAnswer> answers) {
  constexpr double exact = std::numeric_limits<double>::infinity();
  std::vector<std::pair<double, double>> keys;
  for (const SampleAnswer& a : answers) keys.emplace_back(-a.wrong(), a.sqnr_db().value_or(exact));
  std::vector<std::size_t> order(answers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  return order;
}

}  // namespace intaglio
