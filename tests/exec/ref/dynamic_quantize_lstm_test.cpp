// com.microsoft's DynamicQuantizeLSTM. The expected values are those of ONNX Runtime 1.31.
#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(14).domain("com.microsoft");

// Two directions, two inputs, two hidden units.
std::vector<Tensor> run_lstm(const std::string& constants, const Tensor& x) {
  return run_text(
      head.graph("(float[3,2,2] x) => (float[3,2,2,2] y, float[2,2,2] yh, float[2,2,2] yc) " +
                 constants +
                 "{ y, yh, yc = com.microsoft.DynamicQuantizeLSTM <hidden_size = 2, direction = "
                 "\"bidirectional\"> (x, w, r, b, , h, c, , ws, wz, rs, rz) }"),
      {x});
}

TEST(DynamicQuantizeLstm, WeightsWithAScalePerGateRow) {
  const auto y = run_lstm(
      "<int8[2,2,8] w = {79, -106, -82, -67, -81, 77, 94, 21, -117, -103, -43, -17, 31, -5, -60, "
      "-87, 49, 60, -119, -99, -12, -28, 99, 4, -20, -18, 42, 22, -83, 61, 65, 116}, int8[2,2,8] r "
      "= {73, -55, -46, 38, 38, 50, 94, -53, 112, -127, -108, 121, 113, -51, -92, -47, -117, 100, "
      "41, 22, -65, -7, -79, 70, -7, -120, -63, 53, 5, -32, -63, -104}, float[2,16] b = {0.23, "
      "-0.61, -0.27, 0.21, 0.35, -0.65, -0.15, 0.1, -0.18, 0.48, -0.36, 0.11, -0.31, 0.42, -0.01, "
      "-0.11, -0.52, 0.5, 0.23, 0.23, 0.34, 0.1, -0.19, -0.24, -0.24, 0.41, -0.44, -0.18, -0.1, "
      "0.07, 0.17, -0.37}, float[2,2,2] h = {0.41, -0.11, -0.15, -0.15, -0.02, -0.41, 0.05, 0.42}, "
      "float[2,2,2] c = {0.06, 0.24, 0.45, 0.34, 0.24, 0.31, 0.32, -0.25}, float[2,8] ws = "
      "{0.0149, 0.019, 0.0081, 0.0145, 0.0095, 0.0161, 0.0158, 0.0083, 0.0174, 0.0149, 0.0152, "
      "0.0173, 0.0114, 0.0164, 0.0182, 0.0065}, int8[2,8] wz = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
      "0, 0, 0, 0, 0}, float[2,8] rs = {0.0177, 0.0109, 0.0122, 0.0072, 0.0155, 0.0094, 0.0181, "
      "0.0091, 0.0134, 0.011, 0.0142, 0.0079, 0.0077, 0.0162, 0.0163, 0.0135}, int8[2,8] rz = {0, "
      "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}>",
      Tensor::of<float>(
          {3, 2, 2}, {-1.73, 0, 1.21, 0.76, 0.22, -0.32, 0.29, -0.24, 0.82, -0.79, 0.13, -0.11}));
  EXPECT_TRUE(close(
      y[0],
      Tensor::of<float>({3, 2, 2, 2},
                        {-0.0616935, -0.328221,  0.0772793, 0.0576038,  0.121355,  -0.508057,
                         0.0765682,  -0.0134631, 0.153862,  0.0204811,  0.151116,  0.107569,
                         0.110125,   -0.22513,   0.0721066, -0.18706,   0.205572,  0.113711,
                         0.12237,    0.0522126,  0.072828,  -0.0542158, 0.0165848, -0.281079}),
      1e-5, 1e-6));
  EXPECT_TRUE(close(y[2],
                    Tensor::of<float>({2, 2, 2}, {1.02031, 0.261063, 0.451861, 0.0888716, 0.127064,
                                                  -0.597118, 0.546273, -0.0951445}),
                    1e-5, 1e-6));
}

TEST(DynamicQuantizeLstm, UnsignedWeightsWithAScalePerDirection) {
  const auto y = run_lstm(
      "<uint8[2,2,8] w = {141, 123, 222, 87, 104, 67, 125, 146, 117, 81, 140, 158, 42, 149, 180, "
      "26, 158, 113, 238, 99, 80, 180, 222, 22, 27, 43, 87, 131, 145, 103, 225, 170}, uint8[2,2,8] "
      "r = {42, 85, 50, 50, 216, 238, 110, 62, 213, 37, 35, 71, 93, 86, 71, 57, 160, 137, 168, "
      "239, 239, 32, 202, 106, 209, 171, 14, 226, 237, 255, 15, 36}, float[2,16] b = {-0.25, -0.1, "
      "0.26, -0.12, -0.05, 0.24, 0.19, 0.51, -0.63, 0.26, -0.14, 0.04, 0.25, 0.32, 0.31, 0.05, "
      "0.48, -0.08, -0.04, 0.24, -0.17, 0.65, 0.31, 0.65, -0.01, -0.11, 0.05, 0.22, -0.18, 0.11, "
      "-0.01, 0.48}, float[2,2,2] h = {0.14, -0.11, -0.14, 0.22, -0.42, 0.37, 0.38, 0.46}, "
      "float[2,2,2] c = {-0.36, -0.38, 0.39, -0.1, -0.23, -0.12, 0.16, -0.34}, float[2] ws = "
      "{0.0131, 0.0182}, uint8[2] wz = {120, 120}, float[2] rs = {0.0058, 0.0138}, uint8[2] rz = "
      "{120, 120}>",
      Tensor::of<float>({3, 2, 2}, {-0.66, 1.05, -0.64, -0.96, -0.71, -1.19, 0.15, 1.03, 0.16, 0.62,
                                    1.63, 0.27}));
  EXPECT_TRUE(close(
      y[0],
      Tensor::of<float>({3, 2, 2, 2},
                        {0.0270215, -0.36717, 0.0509281,   0.201633,   -0.0280864, 0.485248,
                         -0.14424,  0.452622, -0.00607738, 0.115066,   0.192475,   0.064281,
                         -0.199105, 0.431494, 0.457479,    -0.0304888, 0.133444,   0.0509102,
                         0.331717,  0.108471, 0.0537573,   0.0711631,  0.701432,   -0.473422}),
      1e-5, 1e-6));
  EXPECT_TRUE(close(y[2],
                    Tensor::of<float>({2, 2, 2}, {0.223478, 0.0958561, 0.384509, 0.351199,
                                                  -0.542178, 0.736334, -0.386566, 0.671935}),
                    1e-5, 1e-6));
}

TEST(DynamicQuantizeLstm, WrongShapesAreRefused) {
  const std::string constants =
      "<int8[1,2,8] w = {0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}, int8[1,2,8] r = "
      "{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}, float[2] s = {1,1}, int8[2] z = {0,0}>";
  const auto run = [&](const std::string& attributes) {
    return run_text(head.graph("(float[3,2,2] x) => (float[A,B,C,D] y) " + constants +
                               "{ y = com.microsoft.DynamicQuantizeLSTM <" + attributes +
                               "> (x, w, r, , , , , , s, z, s, z) }"),
                    {random_tensor({3, 2, 2})});
  };
  EXPECT_THROW(run("hidden_size = 2"), Error) << "two scales for one direction";
  EXPECT_THROW(run("hidden_size = 3"), Error);
  EXPECT_THROW(run("direction = \"forward\""), Error) << "no hidden_size";
}

}  // namespace
}  // namespace intaglio::testing
