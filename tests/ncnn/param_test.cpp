// The text of a network: read, changed, written back.
#include "lib/ncnn/param.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio {
namespace {

const std::string text =
    "7767517\n"
    "3 3\n"
    "Input                    in0                      0 1 in0\n"
    "Convolution              conv_0                   1 1 in0 1 0=2 1=3 -23310=2,0.0,6.0 6=54 "
    "9=3\n"
    "Custom                   c                        2 1 1 in0 out0 0=\"a b\" 1=1.5e-01\n";

NcnnGraph parse(const std::string& what) { return parse_ncnn_param(what, "net.param"); }

TEST(NcnnParam, IsWrittenBackAsItWasRead) {
  const NcnnGraph graph = parse(text);
  EXPECT_EQ(graph.blobs, 3u);
  ASSERT_EQ(graph.layers.size(), 3u);
  EXPECT_EQ(graph.layers[1].param(6, 0), 54);
  EXPECT_EQ(graph.layers[1].param(8, 7), 7) << "is not there";
  EXPECT_EQ(graph.layers[2].bottoms, (std::vector<std::string>{"1", "in0"}));
  EXPECT_EQ(graph.layers[2].params.front().second, "\"a b\"");
  EXPECT_EQ(ncnn_param_text(graph), text);
}

TEST(NcnnParam, SetsWhatIsThereAndAddsWhatIsNot) {
  NcnnGraph graph = parse(text);
  graph.layers[1].set_param(6, 55);
  graph.layers[1].set_param(8, 2);
  EXPECT_TRUE(testing::contains(ncnn_param_text(graph), " 6=55 9=3 8=2\n"));
}

void expect_refused(const std::string& what, const std::string& reason) {
  try {
    parse(what);
    FAIL() << reason;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_TRUE(testing::contains(e.what(), reason)) << e.what();
  }
}

TEST(NcnnParam, SaysWhichLineIsWrong) {
  expect_refused("", "net.param:1: is no text of an ncnn network");
  expect_refused("pnnx\n1 1\n", "net.param:1: is no text");
  expect_refused("7767517\n", "net.param:2: ends before number of layers");
  expect_refused("7767517\n2 1\nInput a 0 1 a\n", "net.param:2: says 2 layers, and 1 follow");
  expect_refused("7767517\n1 1\nInput a 0 x a\n", "net.param:3: 'x' is no number of outputs");
  expect_refused("7767517\n1 1\nInput a 0 2 a\n", "net.param:3: ends before its outputs");
  expect_refused("7767517\n1 1\nInput a 0 99999999999 a\n", "is no number of outputs");
  expect_refused("7767517\n1 1\nInput a 0 1 a 3\n", "'3' is no key=value");
  expect_refused("7767517\n1 1\nInput a 0 1 a 3=\n", "'3=' is no key=value");
  expect_refused("7767517\n1 1\nInput a 0 1 a 3=\"b c\n", "has no second quote");
  EXPECT_THROW(parse(text).layers[2].param(1, 0), Error) << "1.5e-01 is no whole number";
}

}  // namespace
}  // namespace intaglio
