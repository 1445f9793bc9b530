// gptq: rounding that makes up for errors already made, group by group.
//
// With H = X'X + damping = U'U, U upper triangular, and the errors e of one output's weights,
//   |X e|^2 = sum_k (U_kk (e_k + sum_{j>k} U_kj / U_kk e_j))^2
// (calibration/refine/gptq_row.h has the reasons and sources). From the last weight to the first,
//   owed_k = sum_{j>k} U_kj / U_kk e_j,    w'_k = the code nearest to w_k - owed_k
// takes away as much of each term as one code can. Scale and zero point of a group are chosen when
// its turn comes: by range_search for what its weights then have to be, w_k - owed_k of the groups
// behind it, each weighted by U_kk^2. Weights are taken in the order in which they are stored, so
// that groups stay together and no runtime needs a list of indices.
#include <algorithm>
#include <array>

#include "calibration/groups/methods.h"
#include "calibration/refine/gptq_row.h"
#include "lib/base/simd.h"

namespace intaglio {
namespace {

constexpr std::size_t lanes = panel_width / vector_width;
constexpr std::size_t together = 4;  // rows whose sums stay in registers

// targets[r] -= sum_j factors[r * step + j] * errors[j], for `together` rows.
INTAGLIO_CLONES
void owe_rows(PanelRow* targets, const float* factors, std::size_t step, const PanelRow* errors,
              std::size_t count) {
  Vector16 sums[together][lanes] = {};
  for (std::size_t j = 0; j < count; ++j) {
    const auto* e = reinterpret_cast<const Vector16*>(errors[j].data());
    for (std::size_t r = 0; r < together; ++r)
      for (std::size_t l = 0; l < lanes; ++l) sums[r][l] += factors[r * step + j] * e[l];
  }
  for (std::size_t r = 0; r < together; ++r) {
    auto* t = reinterpret_cast<Vector16*>(targets[r].data());
    for (std::size_t l = 0; l < lanes; ++l) t[l] -= sums[r][l];
  }
}

INTAGLIO_CLONES
void owe_row(PanelRow& target, const float* factors, const PanelRow* errors, std::size_t count) {
  PanelRow sum{};
  for (std::size_t j = 0; j < count; ++j)
    for (std::size_t i = 0; i < panel_width; ++i) sum[i] += factors[j] * errors[j][i];
  for (std::size_t i = 0; i < panel_width; ++i) target[i] -= sum[i];
}

INTAGLIO_CLONES
void subtract(const PanelRow& a, const PanelRow& b, PanelRow& difference) {
  for (std::size_t i = 0; i < panel_width; ++i) difference[i] = a[i] - b[i];
}

SecondMoments dense(const InputMoments& moments) {
  const std::size_t n = moments.width();
  SecondMoments h{n, std::vector<double>(n * n)};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) h.at(i, j) = moments.at(i, j);
  return h;
}

class GroupGptq : public GroupMethod {
 public:
  GroupGptq(const InputMoments& moments, std::size_t threads)
      : factor_(dense(moments), threads, RoundingOrder::as_stored), importance_(moments.width()) {
    double mean = 0;
    for (std::size_t k = 0; k < importance_.size(); ++k)
      mean += factor_.weight(k) / static_cast<double>(importance_.size());
    for (std::size_t k = 0; k < importance_.size(); ++k)
      importance_[k] = static_cast<float>(factor_.weight(k) / mean);
  }

  void quantize(std::span<const PanelRow> weights, std::size_t, std::size_t group,
                const GroupGrid& grid, QuantizedPanel& result) const override {
    std::vector<PanelRow> targets(weights.begin(), weights.end()), errors(weights.size());
    for (std::size_t g = result.params.size(); g-- > 0;) {
      const std::size_t first = g * group, end = std::min(first + group, weights.size());
      owe_group(first, end, errors, targets);
      result.params[g] =
          search_params({&targets[first], end - first}, {&importance_[first], end - first}, grid);
      for (std::size_t k = end; k-- > first;) {
        owe_row(targets[k], factor_.row(k) + k + 1, errors.data() + k + 1, end - k - 1);
        encode({&targets[k], 1}, result.params[g], grid, {&result.codes[k], 1});
        decode({&result.codes[k], 1}, result.params[g], {&errors[k], 1});
        subtract(errors[k], weights[k], errors[k]);
      }
    }
  }

 private:
  // What the rows of a group owe to the groups behind it.
  void owe_group(std::size_t first, std::size_t end, const std::vector<PanelRow>& errors,
                 std::vector<PanelRow>& targets) const {
    const std::size_t count = errors.size() - end;
    if (count == 0) return;
    std::size_t k = first;
    for (; k + together <= end; k += together)
      owe_rows(&targets[k], factor_.row(k) + end, factor_.width(), errors.data() + end, count);
    for (; k < end; ++k) owe_row(targets[k], factor_.row(k) + end, errors.data() + end, count);
  }

  Factor factor_;
  std::vector<float> importance_;
};

}  // namespace

std::unique_ptr<GroupMethod> make_group_gptq(const InputMoments& moments, std::size_t threads) {
  return std::make_unique<GroupGptq>(moments, threads);
}

}  // namespace intaglio
