#include "calibration/tokens/token_inputs.h"

#include <gtest/gtest.h>

#include <numeric>

#include "lib/base/error.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

// The rules for a model with these inputs, as ONNX text.
class TokenInputsTest : public ::testing::Test {
 protected:
  TokenInputs& rules(const std::string& inputs,
                     const std::string& body = "y = Constant<value_float = 1.0>()") {
    model_.emplace(TextModel().model("(" + inputs + ") => (float y) { " + body + " }"));
    feeds_ = model_->graph().feeds();
    return rules_.emplace(std::vector<const Value*>(feeds_.begin(), feeds_.end()));
  }

  Tensor made(std::size_t feed, std::optional<std::int64_t> padding = std::nullopt) {
    return rules_->make(feed, ids, padding);
  }

  std::string all() {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < feeds_.size(); ++i)
      if (rules_->makes(i)) list.push_back(i);
    return rules_->text(list);
  }

  const Tensor ids = Tensor::of<std::int64_t>({2, 3}, {5, 6, 7, 8, 0, 0});

 private:
  std::optional<Model> model_;
  std::vector<Value*> feeds_;
  std::optional<TokenInputs> rules_;
};

using Whole = std::vector<std::int64_t>;

TEST_F(TokenInputsTest, WhatEncodersTake) {
  EXPECT_EQ(
      rules("int64[N,T] input_ids, int64[N,T] attention_mask, int32[N,T] token_type_ids").ids(),
      0u);
  EXPECT_EQ(made(1).to_vector<std::int64_t>(), (Whole{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(made(1, 0).to_vector<std::int64_t>(), (Whole{1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(made(2).to_vector<std::int64_t>(), Whole(6, 0));
  EXPECT_EQ(made(2).dtype(), DType::s32);
  EXPECT_EQ(all(), "'attention_mask' ones, 'token_type_ids' zeros");
}

TEST_F(TokenInputsTest, WhatDecodersTake) {
  rules(
      "int64[batch,seq] input_ids, float[batch,total] attention_mask, int64[batch,seq] "
      "position_ids, "
      "float[batch,3,past,64] past_key_values_0_key, float16[batch,3,past,64] "
      "past_key_values_0_value, "
      "bool[1] use_cache_branch, int64[seq] cache_position");
  EXPECT_EQ(made(1).dtype(), DType::f32);
  EXPECT_EQ(made(2).to_vector<std::int64_t>(), (Whole{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(made(3).shape(), (Shape{2, 3, 0, 64}));
  EXPECT_EQ(made(4).dtype(), DType::f16);
  EXPECT_EQ(made(5).to_vector<std::int64_t>(), Whole{0});
  EXPECT_EQ(made(6).to_vector<std::int64_t>(), (Whole{0, 1, 2}));
  EXPECT_EQ(
      all(),
      "'attention_mask' ones, 'position_ids' 0..N-1, 'use_cache_branch' false, 'cache_position' "
      "0..N-1, 2 empty pasts ('past_key_values_0_key' [batch,3,0,64], ...)");
}

TEST_F(TokenInputsTest, ThePlaceAtAnAttentionTells) {
  rules(
      "int64[batch,seq] tokens, float[batch,seq,8] q, int32[batch] a, int32 b, "
      "float[batch,2,past,4] past_k, "
      "float[batch,2,past,4] past_v",
      "y, k, v = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 2>(q, q, q, "
      "past_k, "
      "past_v, a, b)");
  EXPECT_EQ(made(2).to_vector<std::int64_t>(), (Whole{2, 2}));
  EXPECT_EQ(made(3).shape(), Shape{});
  EXPECT_EQ(made(3).to_vector<std::int64_t>(), Whole{3});
  EXPECT_EQ(made(4).shape(), (Shape{2, 2, 0, 4}));
}

TEST_F(TokenInputsTest, AxesOfPasts) {
  rules("int64[1,seq] input_ids, float[2,batch,4,past,8] past, float[1,4,past,8] past_1");
  EXPECT_EQ(made(1).shape(), (Shape{2, 2, 4, 0, 8}));
  EXPECT_EQ(made(2).shape(), (Shape{1, 4, 0, 8}));  // the batch that the model fixes
}

TEST_F(TokenInputsTest, WhatIsNotMadeSaysWhy) {
  const TokenInputs& r = rules(
      "int64[N,T] input_ids, float[1,4,2048,8] past_0, float[N,h,p,d] past_1, float[N,1,T,T] "
      "attention_mask, float[N,T,8] encoder_states");
  EXPECT_EQ(r.refusal(1), "a past of a fixed length cannot be empty");
  EXPECT_EQ(r.refusal(2), "the graph does not say how many heads it has, or how long");
  EXPECT_EQ(r.refusal(3), "its type or rank is not the usual one");
  EXPECT_EQ(r.refusal(4), "");
  for (std::size_t feed = 0; feed < 5; ++feed) EXPECT_FALSE(r.makes(feed)) << feed;
}

TEST_F(TokenInputsTest, TheInputOfTokenIds) {
  EXPECT_EQ(rules("float[N,3] x, int64[N,T] tokens, int64[N,T] attention_mask").ids(), 1u);
  EXPECT_FALSE(rules("int64[N,T] a, int64[N,T] b").ids());
  EXPECT_FALSE(rules("float[N,3,4,4] x").ids());
  EXPECT_EQ(rules("int64[N,T] a, int64[N,T] input_ids").ids(), 1u);
  EXPECT_EQ(rules("int64[N,64] input_ids").fixed_length(), 64u);
}

}  // namespace
}  // namespace intaglio
