// range_search: scale and zero point of the least squared error among shrunk ranges. With second
// moments of the inputs the error of each weight counts as much as its input is large, which is the
// error of the results as far as inputs are not correlated:
//   E |x (w' - w)|^2 = sum_k E x_k^2 (w'_k - w_k)^2
#include "calibration/groups/methods.h"

namespace intaglio {
namespace {

class RangeSearch : public GroupMethod {
 public:
  explicit RangeSearch(std::vector<float> importance) : importance_(std::move(importance)) {}

  void quantize(std::span<const PanelRow> weights, std::size_t first_input, std::size_t group,
                const GroupGrid& grid, QuantizedPanel& result) const override {
    for (std::size_t g = 0; g < result.params.size(); ++g) {
      const std::size_t first = g * group;
      const auto w = weights.subspan(first, std::min(group, weights.size() - first));
      const auto importance = importance_.empty()
                                  ? std::span<const float>{}
                                  : std::span(importance_).subspan(first_input + first, w.size());
      result.params[g] = search_params(w, importance, grid);
      encode(w, result.params[g], grid, {&result.codes[first], w.size()});
    }
  }

 private:
  std::vector<float> importance_;
};

}  // namespace

std::unique_ptr<GroupMethod> make_range_search(std::vector<float> importance) {
  return std::make_unique<RangeSearch>(std::move(importance));
}

std::vector<float> importance_of(const InputMoments& moments) {
  const std::size_t n = moments.width();
  double mean = 0;
  for (std::size_t i = 0; i < n; ++i) mean += moments.at(i, i) / static_cast<double>(n);
  std::vector<float> importance(n, 1.0F);
  if (!(mean > 0)) return importance;  // the inputs were never anything but 0
  for (std::size_t i = 0; i < n; ++i)
    importance[i] = static_cast<float>(moments.at(i, i) / mean + 0.01);
  return importance;
}

}  // namespace intaglio
