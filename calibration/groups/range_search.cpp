// range_search: scale and zero point of the least squared error among shrunk ranges. With second
// moments of the inputs the error of each weight counts as much as its input is large, which is the
// error of the results as far as inputs are not correlated:
//   E |x (w' - w)|^2 = sum_k E x_k^2 (w'_k - w_k)^2
#include "calibration/groups/methods.h"

namespace intaglio {
namespace {

class RangeSearch : public IndependentGroups {
 public:
  explicit RangeSearch(std::vector<float> importance) : importance_(std::move(importance)) {}

 private:
  GroupParams choose(std::span<const PanelRow> weights, std::size_t first_input,
                     const GroupGrid& grid) const override {
    const auto importance = importance_.empty()
                                ? std::span<const float>{}
                                : std::span(importance_).subspan(first_input, weights.size());
    return search_params(weights, importance, grid);
  }

  std::vector<float> importance_;
};

}  // namespace

std::unique_ptr<GroupMethod> make_range_search(std::vector<float> importance) {
  return std::make_unique<RangeSearch>(std::move(importance));
}

std::vector<float> importance_of(std::span<const double> squares) {
  double mean = 0;
  for (const double square : squares) mean += square / static_cast<double>(squares.size());
  std::vector<float> importance(squares.size(), 1.0F);
  if (!(mean > 0)) return importance;
  for (std::size_t i = 0; i < squares.size(); ++i)
    importance[i] = static_cast<float>(squares[i] / mean + 0.01);
  return importance;
}

}  // namespace intaglio
