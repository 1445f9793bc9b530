// Raising: which values get 16 bits, and that the second pair holds every code of the first.
#include "lib/quant/wide_activations.h"

#include <gtest/gtest.h>

#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

Target target(const char* name) {
  return read_target(testing::source_dir() / "configs" / (std::string(name) + ".json"));
}

class Raise : public ::testing::Test {
 protected:
  void draft_with(const std::string& body, const std::vector<const char*>& raised) {
    model_ = testing::TextModel().opset(21).typed(
        "(float[1,2,4,4] x) => (float[1,2,N,M] y) <float[2,2,1,1] w = {1,2,3,4}, float[2,1,1] k = "
        "{1,2}> " +
        body);
    Selection selection;
    for (const char* name : raised) selection.raised[name] = "because";
    plan_ = draft(model_.graph(), target("qnn"), selection);
  }
  DType type(const char* value) const { return plan_.find(value)->scheme.type; }
  const NodePlan& node(const std::string& output) const {
    return *std::ranges::find(plan_.nodes, output, &NodePlan::output);
  }

  Model model_;
  Plan plan_;
};

TEST_F(Raise, ValuesAmongRaisedNodesAloneAreWide) {
  draft_with("{ a = Conv(x, w) b = Conv(a, w) c = Conv(b, w) y = Conv(c, w) }", {"b", "c"});
  EXPECT_EQ(type("a"), DType::u8);
  EXPECT_EQ(type("b"), DType::u16);
  EXPECT_EQ(type("c"), DType::u8);
  EXPECT_EQ(type("y"), DType::u8);
  EXPECT_TRUE(node("b").raised);
  EXPECT_EQ(node("b").reason, "because");
  EXPECT_FALSE(node("a").raised);
  EXPECT_EQ(node("b").constants.front().scheme.type, DType::s8) << "weights keep their type";
}

TEST_F(Raise, InputsAndOutputsGoWithTheirOnlyNodes) {
  draft_with("{ a = Conv(x, w) y = Conv(a, w) }", {"a", "y"});
  for (const char* value : {"x", "a", "y"}) EXPECT_EQ(type(value), DType::u16) << value;
}

TEST_F(Raise, AReaderWithEightBitsKeepsAValueNarrow) {
  draft_with("{ a = Conv(x, w) b = Conv(a, w) c = Conv(a, w) y = Add(b, c) }", {"a", "b"});
  EXPECT_EQ(type("a"), DType::u8);
}

TEST_F(Raise, MoversFollowWhatTheyMove) {
  const char* body = "{ a = Conv(x, w) m = MaxPool<kernel_shape = [2, 2]>(a) y = Conv(m, w) }";
  draft_with(body, {"a", "y"});
  EXPECT_EQ(type("a"), DType::u16);
  EXPECT_EQ(type("m"), DType::u16);
  EXPECT_TRUE(node("m").raised);
  draft_with(body, {"a"});
  EXPECT_EQ(type("a"), DType::u8);
  EXPECT_EQ(type("m"), DType::u8);
  EXPECT_FALSE(node("m").raised);
}

TEST_F(Raise, ConstantOperandsAreAsWideAsTheirNode) {
  draft_with("{ a = Conv(x, w) b = Add(a, k) y = Conv(b, w) }", {"b"});
  EXPECT_EQ(node("b").constants.front().scheme.type, DType::u16);
  EXPECT_EQ(type("a"), DType::u8);
}

TEST_F(Raise, NothingChangesWithoutNodes) {
  draft_with("{ a = Conv(x, w) y = Conv(a, w) }", {});
  const Json before = to_json(plan_);
  draft_with("{ a = Conv(x, w) y = Conv(a, w) }", {"no such node"});
  EXPECT_EQ(to_json(plan_), before);
  EXPECT_FALSE(needs_wide_codes(plan_));
}

TEST_F(Raise, PlansKeepIt) {
  draft_with("{ a = Conv(x, w) y = Conv(a, w) }", {"y"});
  for (ActivationPlan& a : plan_.activations) a.params = {a.scheme.type, {}, {0.5f}, {3}};
  for (NodePlan& n : plan_.nodes) n.constants.front().params = {DType::s8, {}, {0.5f}, {0}};
  const Plan read = plan_from_json(to_json(plan_), "test");
  EXPECT_EQ(to_json(read), to_json(plan_));
  EXPECT_TRUE(needs_wide_codes(read));
}

TEST(RaisedParams, HoldEveryCodeExactly) {
  for (const DType type : {DType::u8, DType::s8})
    for (const float scale : {1.0f, 0.0123f, 3e-7f})
      for (const std::int32_t zero : {0, 17, 127}) {
        const QParams narrow{type, {}, {scale}, {zero}};
        const QParams wide = raised_params(narrow);
        EXPECT_EQ(wide.type, raised_type(type));
        for (int code = type == DType::u8 ? 0 : -128, i = 0; i < 256; ++i, ++code) {
          const float real = static_cast<float>(code - zero) * scale;
          const auto held =
              static_cast<std::int32_t>(std::nearbyint(real / wide.scale[0])) + wide.zero_point[0];
          EXPECT_EQ(held, 256 * code);
          EXPECT_EQ(static_cast<float>(held - wide.zero_point[0]) * wide.scale[0], real);
        }
      }
}

TEST(RaisedParams, WideOnesStay) {
  const QParams wide{DType::u16, {}, {0.1f}, {700}};
  EXPECT_EQ(raised_params(wide), wide);
}

TEST(TargetForRaising, NeedsOpset21AndATypeOf16Bits) {
  EXPECT_EQ(target_for_raising(target("qnn")).opset, 21);
  EXPECT_THROW(target_for_raising(target("tensorrt")), Error);
}

}  // namespace
}  // namespace intaglio
