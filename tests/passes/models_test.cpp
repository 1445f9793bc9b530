// Every pass on every real model at hand: what the model computes stays within 1e-5.

#include <cmath>
#include <iostream>
#include <map>

#include "lib/exec/infer.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

// Dimensions that a model leaves open; where it is not listed, they are 1.
const std::map<std::string, std::map<std::string, Shape>, std::less<>> open_shapes = {
    {"ch_PP-OCRv4_rec_infer", {{"x", {1, 3, 48, 192}}}},
    {"ch_ppocr_mobile_v2.0_cls_infer", {{"x", {1, 3, 48, 192}}}},
    {"espcn_superres_core", {{"_ppp5_expanded", {1, 1, 32, 32}}}},
    {"silero_vad_16k_op15", {{"input", {1, 576}}, {"state", {2, 1, 128}}}},
};

std::vector<Tensor> feeds_for(const std::string& name, const Graph& graph) {
  std::vector<Tensor> feeds;
  for (const Value* value : graph.feeds()) {
    Shape shape;
    for (const Dim& dim : *value->dims()) shape.push_back(dim.known() ? dim.value : 1);
    if (const auto model = open_shapes.find(name); model != open_shapes.end())
      if (const auto open = model->second.find(value->name()); open != model->second.end())
        shape = open->second;
    feeds.push_back(value->dtype() == DType::s64
                        ? Tensor::scalar<std::int64_t>(16000)  // the sample rate of silero_vad
                        : convert(random_tensor(shape, 7), value->dtype()));
  }
  return feeds;
}

// The largest difference over the largest value, of the worst output.
double difference(const std::vector<Tensor>& before, const std::vector<Tensor>& after) {
  double worst = 0;
  EXPECT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].shape(), after[i].shape());
    const auto a = before[i].to_vector<double>(), b = after[i].to_vector<double>();
    double largest = 0, apart = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      largest = std::max(largest, std::abs(a[k]));
      apart = std::max(apart, std::abs(a[k] - b[k]));
      EXPECT_TRUE(std::isfinite(b[k]));
    }
    worst = std::max(worst, largest > 0 ? apart / largest : apart);
  }
  return worst;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  if (const auto folder = shared("assets/models"))
    for (const auto& entry : std::filesystem::directory_iterator(*folder))
      if (entry.path().extension() == ".onnx") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  if (names.empty()) names.emplace_back("none");
  return names;
}

class Models : public ::testing::TestWithParam<std::string> {};

TEST_P(Models, KeepTheirOutputsThroughEveryPass) {
  SKIP_WITHOUT_SHARED(path, "assets/models/" + GetParam() + ".onnx");
  Model model = load_model(path);
  infer_types(model);
  auto feeds = feeds_for(GetParam(), model.graph());
  std::vector<Tensor> before;
  try {
    before = Executor(model.graph()).run(feeds);
  } catch (const Error& e) {
    if (e.code() != Code::unsupported) throw;
    GTEST_SKIP() << "the executor does not run this model: " << e.what();
  }
  for (int round = 0, rewrites = 1; rewrites > 0; ++round) {
    rewrites = 0;
    infer_types(model);
    for (const Pass& pass : preparation_passes()) {
      const int count = pass.run(model, {});
      model.graph().verify();
      if (count == 0) continue;
      const bool widened = pass.name == "fp16_to_fp32";
      if (widened)
        for (Tensor& feed : feeds) feed = convert(feed, DType::f32);
      const auto after = Executor(model.graph()).run(feeds);
      const double apart = difference(before, after);
      std::cout << "round " << round << " " << pass.name << ": " << count << " rewrites, " << apart
                << " apart\n";
      EXPECT_LE(apart, widened ? 2e-2 : 1e-5) << pass.name;
      if (widened) before = after;
      rewrites += count;
    }
  }
  EXPECT_GE(model.opset(), 13);
  const auto saved = fresh_folder() / "prepared.onnx";
  save_model(model, saved);
  const Model loaded = load_model(saved);
  EXPECT_EQ(difference(Executor(model.graph()).run(feeds), Executor(loaded.graph()).run(feeds)), 0);
}

INSTANTIATE_TEST_SUITE_P(All, Models, ::testing::ValuesIn(model_names()), [](const auto& at) {
  std::string name = at.param;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

// The two files hold the same network, in half precision and widened by somebody else.
TEST(WidenedModels, SqueezeNetIsItsFloatTwin) {
  SKIP_WITHOUT_SHARED(half, "assets/models/SqueezeNet_fp16.onnx");
  SKIP_WITHOUT_SHARED(twin, "assets/models/squeezenet1.1_fp32_from_fp16.onnx");
  const std::vector feeds{random_tensor({1, 3, 224, 224}, 5, -120, 120)};
  std::vector<std::vector<Tensor>> outputs;
  for (const auto& path : {twin, half}) {
    Model model = load_model(path);
    prepare(model);
    for (const Value* value : model.graph().values()) EXPECT_NE(value->dtype(), DType::f16);
    outputs.push_back(Executor(model.graph()).run(feeds));
  }
  EXPECT_LE(difference(outputs[0], outputs[1]), 1e-5);
}

}  // namespace
}  // namespace intaglio::testing
