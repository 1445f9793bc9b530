// Groups: layers whose noise shows when they are measured together.
#include "calibration/sensitivity/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibration/ranges/select.h"
#include "calibration/sensitivity/sensitivity.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;

// Two blocks of attention that mask the last of four tokens.
constexpr const char* blocks = R"(
  (float[1,4,8] x, float[8,8] a, float[8,8] b) => (float[1,4,8] y)
  <float[1,1,4] mask = {0, 0, 0, -10000}, float four = {4}> {
    q = MatMul(x, a)
    k = Transpose <perm = [0, 2, 1]> (x)
    s = MatMul(q, k)
    large = Mul(s, four)
    m = Add(large, mask)
    p = Softmax(m)
    h = MatMul(p, x)
    q2 = MatMul(h, b)
    k2 = Transpose <perm = [0, 2, 1]> (h)
    s2 = MatMul(q2, k2)
    large2 = Mul(s2, four)
    m2 = Add(large2, mask)
    p2 = Softmax(m2)
    y = MatMul(p2, h)
  })";

struct Measured {
  Model model;
  Sensitivity sensitivity;

  const GroupSensitivity* group(const std::string& name) const {
    for (const GroupSensitivity& g : sensitivity.groups)
      if (g.group.name == name) return &g;
    return nullptr;
  }
  double gain(const Noise& left) const {
    return 10 * std::log10(sensitivity.quantized.relative() / left.relative());
  }
};

Measured measured() {
  Model model = testing::random_model(blocks);
  const Target target = read_target(testing::source_dir() / "configs" / "qnn.json");
  Plan plan = draft(model.graph(), target);
  const Samples samples = testing::random_samples({1, 4, 8}, 8);
  Observations seen;
  const Executor executor(model.graph());
  for (std::size_t i = 0; i < samples.count; ++i)
    executor.run(*samples.load(i), [&](const Value& v, const Tensor& t) {
      seen.values[v.name()].add(t.data<float>());
    });
  select(plan, model.graph(), seen);
  const Selection selection;
  Sensitivity s = measure_sensitivity({model, model, plan, target, selection}, samples, {});
  return {std::move(model), std::move(s)};
}

TEST(Groups, AreOperatorsAndTheScoresOfAttention) {
  const Measured m = measured();
  const GroupSensitivity* scores = m.group("attention scores");
  ASSERT_NE(scores, nullptr);
  std::vector<std::string> names;
  for (const std::size_t l : scores->group.layers)
    names.push_back(m.sensitivity.layers[l].layer.node->output(0)->name());
  EXPECT_EQ(names, (std::vector<std::string>{"large", "m", "p", "large2", "m2", "p2"}))
      << "and no product";
  ASSERT_NE(m.group("MatMul"), nullptr);
  EXPECT_EQ(m.group("MatMul")->group.layers.size(), 6u);
  EXPECT_EQ(m.group("Transpose"), nullptr) << "moves values: no layer";
}

// What one of many like layers wins alone says little: the others do the same harm.
TEST(Groups, WinTogetherWhatNoneWinsAlone) {
  const Measured m = measured();
  const GroupSensitivity* scores = m.group("attention scores");
  ASSERT_NE(scores, nullptr);
  for (const std::size_t l : scores->group.layers)
    EXPECT_GT(m.gain(scores->together_float), m.gain(m.sensitivity.layers[l].alone_float) + 6) << l;
  const auto order = group_ranking(m.sensitivity);
  for (std::size_t i = 1; i < order.size(); ++i)
    EXPECT_GE(m.gain(m.sensitivity.groups[order[i - 1]].together_float),
              m.gain(m.sensitivity.groups[order[i]].together_float));
}

}  // namespace
}  // namespace intaglio
