// GroupQueryAttention and GatherBlockQuantized of com.microsoft. The numbers of the former are
// those of onnxruntime 1.31.1 on the same values.
#include <gtest/gtest.h>

#include <array>

#include "lib/base/error.h"
#include "lib/exec/executor.h"
#include "tests/exec/references.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(21).domain("com.microsoft");

// Eighths from -9 to 9.
Tensor pattern(Shape shape, std::int64_t seed) {
  Tensor t(DType::f32, std::move(shape));
  std::int64_t i = 0;
  for (float& v : t.mutate<float>()) v = static_cast<float>((i++ * 37 + seed * 11) % 19 - 9) / 8;
  return t;
}

// Every so many values.
Tensor every(const Tensor& x, std::size_t step) {
  const auto all = x.to_vector<float>();
  std::vector<float> some;
  for (std::size_t i = 0; i < all.size(); i += step) some.push_back(all[i]);
  return Tensor::vector(some);
}

// By the reference kernels, and by those that are taken first.
std::vector<std::vector<Tensor>> both(const std::string& text, std::span<const Tensor> feeds) {
  const Model model = head.model(text);
  std::vector<std::vector<Tensor>> results;
  for (const Registry* registry : {&references(), &default_registry()}) {
    CompileOptions options;
    options.registry = registry;
    results.push_back(Executor(model.graph(), options).run(feeds));
  }
  return results;
}

TEST(GroupQueryAttention, APromptWithRotaryPositionsWindowAndSoftcap) {
  const std::vector feeds = {pattern({1, 3, 32}, 1),
                             pattern({1, 3, 16}, 2),
                             pattern({1, 3, 16}, 3),
                             Tensor::of<std::int32_t>({1}, {2}),
                             Tensor::scalar<std::int32_t>(3),
                             pattern({8, 8}, 4),
                             pattern({8, 8}, 5)};
  for (const auto& y : both(R"((float[1,3,32] q, float[1,3,16] k, float[1,3,16] v, int32[1] l,
      int32 t, float[8,8] c, float[8,8] s) => (float[1,3,32] y, float[] pk, float[] pv) {
    y, pk, pv = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1, do_rotary = 1,
      softcap = 2.0, scale = 0.25, local_window_size = 2> (q, k, v, , , l, t, c, s) })",
                            feeds)) {
    EXPECT_TRUE(close(
        every(y[0], 8),
        Tensor::vector<float>({0.625f, -0.375f, 0.625f, -0.375f, 0.744826f, -0.255174f, 0.813088f,
                               -0.186912f, 0.00400037f, 0.18675f, -0.636507f, 0.306845f})));
    EXPECT_EQ(y[1].shape(), (Shape{1, 1, 3, 16}));
    EXPECT_TRUE(
        close(every(y[1], 8), Tensor::vector<float>({-0.34375f, -0.984375f, -0.375f, 1, -1, 0})));
    EXPECT_TRUE(close(y[2], feeds[2].reshaped({1, 1, 3, 16})));
  }
}

// One token behind caches of 3 and 1, queries, keys and values in one.
TEST(GroupQueryAttention, ATokenBehindCachesOfTwoLengths) {
  const std::vector feeds = {pattern({2, 1, 64}, 1),
                             pattern({2, 1, 3, 16}, 2),
                             pattern({2, 1, 3, 16}, 3),
                             Tensor::of<std::int32_t>({2}, {3, 1}),
                             Tensor::scalar<std::int32_t>(4),
                             pattern({8, 8}, 4),
                             pattern({8, 8}, 5)};
  for (const auto& y : both(R"((float[2,1,64] q, float[2,1,3,16] k, float[2,1,3,16] v, int32[2] l,
      int32 t, float[8,8] c, float[8,8] s) => (float[2,1,32] y, float[] pk, float[] pv) {
    y, pk, pv = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1, do_rotary = 1,
      rotary_interleaved = 1> (q, , , k, v, l, t, c, s) })",
                            feeds)) {
    EXPECT_TRUE(close(every(y[0], 8),
                      Tensor::vector<float>({-0.41768f, 0.210413f, -0.316911f, 0.145057f,
                                             0.0160506f, 0.0377216f, 0.127703f, -0.0863368f})));
    ASSERT_EQ(y[1].shape(), (Shape{2, 1, 4, 16}));
    const auto keys = every(y[1], 4).to_vector<float>(), values = every(y[2], 4).to_vector<float>();
    const auto part = [](const std::vector<float>& v, std::size_t first, std::size_t count) {
      return Tensor::of<float>({static_cast<std::int64_t>(count)},
                               std::span(v).subspan(first, count));
    };
    EXPECT_TRUE(close(part(keys, 12, 4),
                      Tensor::vector<float>({-1.328125f, 0.515625f, -0.015625f, -0.546875f})));
    EXPECT_TRUE(close(part(values, 12, 4), Tensor::vector<float>({-1, 0.875f, 0.375f, -0.125f})));
    EXPECT_TRUE(
        close(part(keys, 16, 8), Tensor::vector<float>({0.375f, -0.125f, -0.625f, -1.125f, 0.125f,
                                                        -0.40625f, -0.9375f, 0.90625f})));
  }
}

TEST(GroupQueryAttention, MoreTokensBehindACacheAndABias) {
  const std::vector feeds = {pattern({1, 2, 32}, 1),          pattern({1, 2, 16}, 2),
                             pattern({1, 2, 16}, 3),          pattern({1, 1, 2, 16}, 5),
                             pattern({1, 1, 2, 16}, 6),       Tensor::of<std::int32_t>({1}, {3}),
                             Tensor::scalar<std::int32_t>(4), pattern({1, 1, 2, 4}, 7)};
  for (const auto& y : both(R"((float[1,2,32] q, float[1,2,16] k, float[1,2,16] v,
      float[1,1,2,16] pk, float[1,1,2,16] pv, int32[1] l, int32 t, float[1,1,2,4] b)
      => (float[1,2,32] y, float[] nk, float[] nv) {
    y, nk, nv = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1>
      (q, k, v, pk, pv, l, t, , , , b) })",
                            feeds))
    EXPECT_TRUE(close(every(y[0], 8),
                      Tensor::vector<float>({0.518709f, -0.481291f, 0.410065f, -0.589935f,
                                             0.176561f, -0.823439f, 0.390932f, -0.609068f})));
}

TEST(GroupQueryAttention, WhatIsNotTakenIsRefusedByName) {
  const auto refusal = [](const std::string& attrs, const std::string& inputs) {
    const Model model = head.model(
        "(float[1,3,32] q, float[1,3,16] k, float[1,3,16] v, int32[1] l, int32 t, float[2] h) => "
        "(float[] y) { y = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1" +
        attrs + "> (q, k, v, , , l, t" + inputs + ") }");
    try {
      Executor executor(model.graph());
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unsupported);
      return std::string(e.what());
    }
    return std::string("taken");
  };
  EXPECT_EQ(refusal("", ""), "taken");
  for (const auto& [attrs, inputs, reason] :
       {std::array<std::string, 3>{"", ", , , , , h", "input 12 ('head_sink')"},
        {", smooth_softmax = 1", "", "smooth_softmax"},
        {", k_quant_type = \"PER_TENSOR\"", "", "caches in integers"},
        {", kv_cache_bit_width = 8", "", "kv_cache_bit_width"},
        {", sliding_window_cache = 1", "", "a cache that wraps"},
        {", local_window_size = 0", "", "leaves no key"},
        {", qk_output = 1", "", "the scores are no output"}})
    EXPECT_NE(refusal(attrs, inputs).find(reason), std::string::npos) << refusal(attrs, inputs);
}

TEST(GroupQueryAttention, RotaryPositionsNeedTheirCaches) {
  const Model model = head.model(
      "(float[1,3,64] q, int32[1] l, int32 t) => (float[] y) { y = com.microsoft."
      "GroupQueryAttention <num_heads = 2, kv_num_heads = 1, do_rotary = 1> (q, , , , , l, t) }");
  EXPECT_THROW(Executor executor(model.graph()), Error);
}

TEST(GroupQueryAttention, LengthsThatDoNotFitAreRefused) {
  const auto run = [](std::int32_t last, std::int32_t total) {
    return run_text(head.graph(R"((float[1,2,32] q, float[1,2,16] k, float[1,2,16] v, int32[1] l,
        int32 t) => (float[] y) {
      y = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1>
          (q, k, v, , , l, t) })"),
                    {pattern({1, 2, 32}, 1), pattern({1, 2, 16}, 2), pattern({1, 2, 16}, 3),
                     Tensor::of<std::int32_t>({1}, {last}), Tensor::scalar<std::int32_t>(total)});
  };
  EXPECT_NO_THROW(run(1, 2));
  EXPECT_THROW(run(2, 2), Error) << "more keys than there are";
  EXPECT_THROW(run(4, 5), Error) << "three of the past, which is none";
  EXPECT_THROW(run(-1, 2), Error);
}

TEST(QMoE, IsRefusedByNameAndWithTheReason) {
  const Model model = head.model(
      "(float[2,32] x, float[2,4] r, uint8[4,32,16] a, uint8[4,32,16] b) => (float[] y) "
      "{ y = com.microsoft.QMoE <k = 1> (x, r, a, , , b) }");
  try {
    Executor executor(model.graph());
    FAIL() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unsupported);
    EXPECT_NE(std::string(e.what()).find("QMoE"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("experts"), std::string::npos) << e.what();
  }
}

// --- GatherBlockQuantized ---

// Rows of 16 codes in blocks of 16 along the last axis: code i of row r is (r + i) % 2^bits.
Tensor packed_rows(std::int64_t rows, std::int64_t columns, std::size_t bits) {
  const auto in_byte = static_cast<std::int64_t>(8 / bits);
  Tensor t(DType::u8, {rows, columns / in_byte});
  std::vector<int> codes;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < columns; ++i)
      codes.push_back(static_cast<int>((r + i) % (1 << bits)));
  pack_bits<int>(codes, bits, t.raw_mutate());
  return t;
}

TEST(GatherBlockQuantized, BytesHoldTwoFourOrEightBits) {
  for (const int bits : {2, 4, 8}) {
    const auto y = run_text(
        head.graph("(uint8[3," + std::to_string(32 * bits / 8) +
                   "] d, int64[2] i, float[3,2] s) => (float[2,32] y) { y = "
                   "com.microsoft.GatherBlockQuantized <bits = " +
                   std::to_string(bits) + ", block_size = 16> (d, i, s) }"),
        {packed_rows(3, 32, static_cast<std::size_t>(bits)), Tensor::of<std::int64_t>({2}, {2, -3}),
         Tensor::of<float>({3, 2}, {1, 2, 3, 4, 0.5f, 0.25f})});
    std::vector<float> expected;
    for (const int row : {2, 0})
      for (int i = 0; i < 32; ++i) {
        const float scale = row == 2 ? (i < 16 ? 0.5f : 0.25f) : (i < 16 ? 1.0f : 2.0f);
        const int code = (row + i) % (1 << bits);
        expected.push_back(static_cast<float>(code - (1 << (bits - 1))) * scale);
      }
    EXPECT_TRUE(close(y[0], Tensor::vector(expected).reshaped({2, 32}))) << bits;
  }
}

TEST(GatherBlockQuantized, ZeroPointsArePackedByRow) {
  // Three blocks of a row: zero points 1, 2, 3 and 4, 5, 6 in two bytes each.
  const auto y = run_text(
      head.graph("(uint8[2,24] d, int64[1,1] i, float[2,3] s, uint8[2,2] z) => (float[1,1,48] y) "
                 "{ y = com.microsoft.GatherBlockQuantized <block_size = 16> (d, i, s, z) }"),
      {packed_rows(2, 48, 4), Tensor::of<std::int64_t>({1, 1}, {1}),
       Tensor::of<float>({2, 3}, {1, 1, 1, 1, 10, 100}),
       Tensor::of<std::uint8_t>({2, 2}, {0x21, 0x03, 0x54, 0x06})});
  std::vector<float> expected;
  for (int i = 0; i < 48; ++i) {
    const float scale = i < 16 ? 1.0f : i < 32 ? 10.0f : 100.0f;
    expected.push_back(static_cast<float>((1 + i) % 16 - (4 + i / 16)) * scale);
  }
  EXPECT_TRUE(close(y[0], Tensor::vector(expected).reshaped({1, 1, 48})));
}

TEST(GatherBlockQuantized, FourBitTypesHaveZeroAtCodeZero) {
  for (const DType type : {DType::u4, DType::s4}) {
    Model model = head.model(
        "(d, int64[1] i, float[1,2] s) => (y) { y = com.microsoft.GatherBlockQuantized "
        "<block_size = 16, gather_axis = 1, quantize_axis = 0> (d, i, s) }");
    model.graph().find("d")->set_type(type, std::nullopt);
    Tensor d(type, {2, 2});
    pack_bits<int>(std::vector<int>{1, 15, 8, 7}, 4, d.raw_mutate());
    const auto y = Executor(model.graph())
                       .run(std::vector{d, Tensor::of<std::int64_t>({1}, {1}),
                                        Tensor::of<float>({1, 2}, {1, 2})});
    const float first = type == DType::s4 ? -2.0f : 30.0f;
    EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 1}, {first, 14}))) << name_of(type);
  }
}

TEST(GatherBlockQuantized, WhatDoesNotFitIsRefused) {
  const auto run = [](const std::string& attrs, const Tensor& scales) {
    return run_text(head.graph("(uint8[3,16] d, int64[1] i, float[] s) => (float[] y) { y = "
                               "com.microsoft.GatherBlockQuantized <" +
                               attrs + "> (d, i, s) }"),
                    {packed_rows(3, 32, 4), Tensor::of<std::int64_t>({1}, {0}), scales});
  };
  EXPECT_NO_THROW(run("block_size = 16", random_tensor({3, 2})));
  EXPECT_THROW(run("block_size = 16", random_tensor({3, 3})), Error);
  EXPECT_THROW(run("block_size = 16, bits = 3", random_tensor({3, 2})), Error);
  EXPECT_THROW(run("block_size = 16, quantize_axis = 0, gather_axis = 1", random_tensor({1, 32})),
               Error);
}

}  // namespace
}  // namespace intaglio::testing
