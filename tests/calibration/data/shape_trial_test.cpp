// Samples whose lengths fit every input and not the network.
#include "calibration/data/shape_trial.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

// Embeddings of at most four tokens, masked by a second input.
constexpr const char* encoder = R"(
  (int64[N,T] ids, float[N,M] mask) => (float[N,U,2] y)
  <float[5,2] words = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
   float[1,4,2] places = {1, 2, 3, 4, 5, 6, 7, 8}, int64[1] first = {0}, int64[1] one = {1},
   int64[1] last = {2}> {
    seen = Gather(words, ids)
    shape = Shape(ids)
    length = Gather(shape, one)
    here = Slice(places, first, length, one)
    placed = Add(seen, here)
    wide = Unsqueeze(mask, last)
    y = Mul(placed, wide)
  })";

std::string reason(ShapeTrial& trial, Shape ids, Shape mask) {
  try {
    trial.require_taken({Tensor(DType::s64, std::move(ids)), Tensor(DType::f32, std::move(mask))});
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    return e.what();
  }
  return {};
}

TEST(ShapeTrial, NamesTheNodeThatTakesNoSuchLength) {
  const Model model = TextModel(encoder).model();
  ShapeTrial trial(model);
  EXPECT_EQ(reason(trial, {1, 3}, {1, 3}), "");
  EXPECT_EQ(reason(trial, {1, 3}, {1, 1}), "") << "one for all";
  EXPECT_NE(reason(trial, {1, 3}, {1, 2}).find("Mul"), std::string::npos);
  EXPECT_NE(reason(trial, {1, 5}, {1, 5}).find("Add"), std::string::npos) << "five of four places";
  EXPECT_EQ(reason(trial, {1, 5}, {1, 5}), reason(trial, {1, 5}, {1, 5})) << "tried once";
}

// Exporters leave shapes of one length behind in graphs that take any.
TEST(ShapeTrial, GoesByNoShapeThatTheModelNotes) {
  const Model model = TextModel(R"((float[1,T] x) => (float[1,7] y) {
                                    a = Neg(x)
                                    y = Add(a, x)
                                  })")
                          .model();
  ShapeTrial trial(model);
  EXPECT_NO_THROW(trial.require_taken({Tensor(DType::f32, {1, 3})}));
}

TEST(ShapeTrial, LeavesFixedShapesToTheModel) {
  const Model model =
      TextModel("(float[N,3] x) => (y) <float[2] k = {1, 2}> { y = Add(x, k) }").model();
  ShapeTrial trial(model);
  EXPECT_NO_THROW(trial.require_taken({Tensor(DType::f32, {1, 3})})) << "no sample's fault";
}

}  // namespace
}  // namespace intaglio
