// Where the weights of layers lie.
#include "lib/ncnn/data.h"

#include <gtest/gtest.h>

#include "tests/ncnn/support.h"

namespace intaglio {
namespace {

using testing::fresh_folder;
using testing::NcnnLine;
using testing::raw;
using testing::tagged;
using testing::write_network;

std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) - 2;
  return values;
}

// One of each layer that has weights, ahead of a convolution that is found only behind them all.
TEST(NcnnData, IsFoundBehindAllLayersThatHaveAny) {
  const auto t = [](std::size_t n) { return tagged(ramp(n)); };
  const auto r = [](std::size_t n) { return raw(ramp(n)); };
  const std::vector<NcnnLine> lines = {
      {"Input in0 0 1 in0", ""},
      {"BatchNorm a 1 1 x y 0=3", r(12)},
      {"Bias b 1 1 x y 0=3", r(3)},
      {"Convolution dynamic 2 1 x w y 0=2 6=4 5=1 19=1", ""},
      {"Convolution1D c 1 1 x y 0=2 6=6 5=1", t(6) + r(2)},
      {"Deconvolution d 1 1 x y 0=2 6=8 5=0 19=1", t(8)},
      {"Embed e 1 1 x y 0=2 2=1 3=6", t(6) + r(2)},
      {"Gemm f 1 1 x y 4=0 5=1 6=1 8=3 9=2 10=4", t(6) + t(3)},
      {"GroupNorm g 1 1 x y 0=1 1=3", r(3) + r(3)},
      {"GroupNorm g2 1 1 x y 0=1 1=3 3=0", ""},
      {"GRU h 1 1 x y 0=2 1=18", t(18) + t(8) + t(12)},
      {"InstanceNorm i 1 1 x y 0=2", r(2) + r(2)},
      {"InnerProduct j 1 1 x y 0=2 1=1 2=6", tagged(ramp(6), NcnnType::f16) + r(2)},
      {"LayerNorm k 1 1 x y 0=2", r(2) + r(2)},
      {"LSTM l 1 1 x y 0=2 1=24 3=3", t(24) + t(12) + t(24) + t(6)},
      {"MemoryData m 0 1 y 0=2 1=3", r(6)},
      {"MemoryData m2 0 1 y 0=3 21=0", tagged(ramp(3), NcnnType::f16)},
      {"MultiHeadAttention n 1 1 x y 0=2 1=1 2=4",
       t(4) + r(2) + t(4) + r(2) + t(4) + r(2) + t(4) + r(2)},
      {"Normalize o 1 1 x y 3=2", r(2)},
      {"Padding p 1 1 x y 0=1 6=2", r(2)},
      {"PReLU q 1 1 x y 0=2", r(2)},
      {"RMSNorm s 1 1 x y 0=2", r(2)},
      {"RNN u 1 1 x y 0=2 1=6 2=2", t(6) + t(4) + t(8)},
      {"Scale v 1 1 x y 0=2 1=1", r(2) + r(2)},
      {"Scale v2 2 1 x s y 0=-233", ""},
      {"Convolution last 1 1 x out0 0=1 6=5 5=1", tagged({7, 8, 9, 10, 11}) + raw({5})}};
  const NcnnNetwork network = load_ncnn(write_network(fresh_folder(), lines));
  ASSERT_EQ(network.arrays.back().size(), 2u);
  EXPECT_EQ(ncnn_floats(network.arrays.back()[0]), (std::vector<float>{7, 8, 9, 10, 11}));
  EXPECT_EQ(ncnn_floats(network.arrays.back()[1]), (std::vector<float>{5}));
  EXPECT_EQ(ncnn_floats(network.arrays[12][0]), ramp(6)) << "of float16";
}

TEST(NcnnData, ArraysAreFilledUpToFourBytes) {
  EXPECT_EQ(tagged({1, 2, 3}, NcnnType::f16).size(), 4u + 8u);
  EXPECT_EQ(ncnn_bytes(std::vector<std::int8_t>{1, 2, 3, 4, 5}).size(), 4u + 8u);
}

void expect_refused(const std::vector<NcnnLine>& lines, Code code, const std::string& reason) {
  try {
    load_ncnn(write_network(fresh_folder(), lines));
    FAIL() << reason;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code);
    EXPECT_TRUE(testing::contains(e.what(), reason)) << e.what();
  }
}

TEST(NcnnData, SaysWhereItDoesNotFitTheLayers) {
  const std::string line = "Convolution c 1 1 x y 0=1 6=4 5=1";
  const std::string whole = tagged({1, 2, 3, 4}) + raw({5});
  for (std::size_t size = 0; size < whole.size(); size += 3)
    expect_refused({{line, whole.substr(0, size)}}, Code::model,
                   "net.ncnn.bin: ends within the weights of layer 'c'");
  expect_refused({{line, whole + "...."}}, Code::model, "holds 4 bytes more");
  expect_refused({{line, "abcd" + whole}}, Code::model, "no weights begin at byte 0");
  expect_refused({{"Convolution c 1 1 x y 0=1 6=-4", ""}}, Code::model, "asks for -4 weights");
  for (const char* outputs : {"2147483647", "-1", "0", "3"})
    expect_refused({{std::string("Convolution c 1 1 x y 6=4 0=") + outputs, whole}}, Code::model,
                   std::string("layer 'c' has 4 weights for ") + outputs + " results");
  expect_refused({{line + " 8=2", whole}}, Code::unsupported, "layer 'c' is in integers already");
  expect_refused({{line, ncnn_bytes(std::vector<std::int8_t>{1, 2, 3, 4}) + raw({5})}},
                 Code::unsupported, "in integers already");
  expect_refused({{"Quantize q 1 1 x y 0=1", raw({1})}}, Code::unsupported, "in integers already");
}

TEST(NcnnData, TwoFilesAreNeeded) {
  const auto folder = fresh_folder();
  EXPECT_THROW(ncnn_bin_of("net.onnx"), Error);
  write_file(folder / "net.ncnn.param", "7767517\n1 1\nInput a 0 1 a\n");
  try {
    load_ncnn(folder / "net.ncnn.param");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::io);
    EXPECT_TRUE(testing::contains(e.what(), "net.ncnn.bin")) << e.what();
  }
}

}  // namespace
}  // namespace intaglio
