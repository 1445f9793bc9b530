#include "lib/graph/contents.h"

#include <gtest/gtest.h>

#include "lib/graph/model.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;

TEST(Contents, CountConstantsWhereverTheyLie) {
  const Model model = testing::TextModel().opset(14).model(
      R"((bool c, float[4] x) => (float[4] y) <float[4] w = {1, 2, 3, 4}> {
      a = Constant <value = float[2,4] {1, 2, 3, 4, 5, 6, 7, 8}> ()
      s = Constant <value_ints = [1, 2, 3]> ()
      h = Constant <value_float = 0.5> ()
      b = Mul(x, w)
      y = If (c) <
        then_branch = t () => (float[4] p) { k = Constant <value = float[4] {1, 1, 1, 1}> () p = Mul(b, k) },
        else_branch = e () => (float[4] q) <float[4] v = {2, 2, 2, 2}> { q = Mul(b, v) }
      >
    })");
  const Contents contents = contents_of(model.graph());
  EXPECT_EQ(contents.elements(), 4u + 8 + 3 + 1 + 4 + 4);
  EXPECT_EQ(contents.bytes(), 4u * 4 + 8 * 4 + 3 * 8 + 4 + 4 * 4 + 4 * 4);
  EXPECT_EQ(contents.nodes, 5u + 2 + 1);
}

Contents made_of(std::size_t nodes, std::map<std::string, Contents::Constant> constants) {
  return {nodes, std::move(constants)};
}

TEST(Growth, NamesTheConstantsThatGrew) {
  const Contents before = made_of(3, {{"w", {DType::f16, 100, 200}}, {"b", {DType::f32, 5, 20}}});
  const Contents after = made_of(4, {{"w", {DType::f32, 100, 400}},
                                     {"b", {DType::f32, 5, 20}},
                                     {"w_scale", {DType::f32, 25, 100}}});
  const std::string text = growth(before, 1000, after, 1310);
  EXPECT_TRUE(contains(text, "520 B instead of 220 B")) << text;
  EXPECT_TRUE(contains(text, "'w' 400 B of float (was float16), 'w_scale' 100 B of float")) << text;
  EXPECT_FALSE(contains(text, "'b'")) << text;
}

TEST(Growth, NamesTheNodesWhereThoseDid) {
  const Contents before = made_of(3, {{"w", {DType::f32, 25, 100}}});
  const Contents after = made_of(17, {{"w_quantized", {DType::s8, 25, 25}}});
  const std::string text = growth(before, 400, after, 1400);
  EXPECT_TRUE(contains(text, "17 nodes instead of 3, which take 1.1 kB more")) << text;
  EXPECT_FALSE(contains(text, "constants")) << text;
}

TEST(SizeRatio, SaysWhichWay) {
  EXPECT_EQ(size_ratio(300, 100), "3.00 times smaller");
  EXPECT_EQ(size_ratio(100, 250), "2.50 times larger");
}

}  // namespace
}  // namespace intaglio
