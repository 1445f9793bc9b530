// Weights that lie in a file beside the model.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lib/graph/codec.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/io/messages.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::error_of;
using testing::parsed;
using testing::TextModel;

// y = x + w, with w = 0, 1, 2, ... of `count` floats.
Model counted(std::int64_t count) {
  Model model = TextModel().model(
      fmt::format(R"((float[{0}] x) => (float[{0}] y) <float[1] w = {{0}}, float[1] b = {{7}}> {{
  s = Add (x, w)
  y = Add (s, b)
}})",
                  count));
  Tensor w(DType::f32, {count});
  float next = 0;
  for (float& v : w.mutate<float>()) v = next++;
  model.graph().find("w")->set_constant(w);
  return model;
}

onnx::TensorProto& external(onnx::ModelProto& message, const std::string& location,
                            const std::string& offset, const std::string& length) {
  auto& tensor = *message.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  tensor.clear_external_data();
  for (const auto& [key, value] : {std::pair<std::string, std::string>("location", location),
                                   {"offset", offset},
                                   {"length", length}}) {
    if (value.empty()) continue;
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  return tensor;
}

// Loads a model in `folder` whose weight is said to lie at these places of other files.
std::string loaded_from(const fs::path& folder, const std::string& location,
                        const std::string& offset = "", const std::string& length = "") {
  onnx::ModelProto message = to_proto(counted(4));
  external(message, location, offset, length);
  write_file(folder / "m.onnx", message.SerializeAsString());
  return error_of([&] {
    const Model model = load_model(folder / "m.onnx");
    model.graph().find("w")->constant().to_vector<float>();
  });
}

TEST(External, LargeWeightsGoBesideTheModelAndComeBack) {
  const auto folder = testing::fresh_folder();
  const Model model = counted(1000);
  SaveOptions options;
  options.external_above = 1000;
  save_model(model, folder / "m.onnx", options);
  EXPECT_EQ(fs::file_size(folder / "m.onnx.data"), 4000u);  // b is too small to leave
  EXPECT_LT(fs::file_size(folder / "m.onnx"), 1000u);
  const Model back = load_model(folder / "m.onnx");
  EXPECT_EQ(back.graph().find("w")->constant().to_vector<float>(),
            model.graph().find("w")->constant().to_vector<float>());
  EXPECT_EQ(hash_of(back), hash_of(model));

  fs::create_directory(folder / "moved");
  fs::rename(folder / "m.onnx", folder / "moved" / "m.onnx");
  fs::rename(folder / "m.onnx.data", folder / "moved" / "m.onnx.data");
  save_model(load_model(folder / "moved" / "m.onnx"), folder / "whole.onnx");
  save_model(model, folder / "never_left.onnx");
  EXPECT_EQ(read_file(folder / "whole.onnx"), read_file(folder / "never_left.onnx"));
}

// The model that is replaced is the one that the weights are still mapped from.
TEST(External, SavingOverItselfIsSafe) {
  const auto folder = testing::fresh_folder();
  SaveOptions options;
  options.external_above = 1000;
  save_model(counted(5000), folder / "m.onnx", options);
  const std::string before = read_file(folder / "m.onnx.data");
  Model model = load_model(folder / "m.onnx");
  save_model(model, folder / "m.onnx", options);
  EXPECT_EQ(read_file(folder / "m.onnx.data"), before);
  EXPECT_EQ(model.graph().find("w")->constant().to_vector<float>()[4999], 4999);
}

TEST(External, EveryTensorBeginsOnAPage) {
  const auto folder = testing::fresh_folder();
  Model model = counted(1000);
  model.graph().add_constant("other",
                             Tensor::vector<std::int8_t>(std::vector<std::int8_t>(5000, 3)));
  SaveOptions options;
  options.external_above = 0;
  save_model(model, folder / "m.onnx", options);
  const onnx::ModelProto message = parsed(folder / "m.onnx");
  int seen = 0;
  for (const auto& tensor : message.graph().initializer())
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() != "offset") continue;
      EXPECT_EQ(std::stoll(entry.value()) % 4096, 0);
      ++seen;
    }
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(load_model(folder / "m.onnx").graph().find("other")->constant().to_vector<int>()[4999],
            3);
}

TEST(External, NestedGraphsKeepTheirWeightsToo) {
  const auto folder = testing::fresh_folder();
  Model model = TextModel().model(R"((bool c, float[1000] x) => (float[1000] y) {
  y = If (c) <then_branch = t () => (float[1000] a) { a = Neg (x) },
              else_branch = e () => (float[1000] b) { b = Abs (x) }>
})");
  Graph& branch = model.graph().nodes()[0]->attr_graph("then_branch");
  Value& w = branch.add_constant("w", Tensor::vector<float>(std::vector<float>(1000, 5)));
  branch.set_input(*branch.nodes()[0], 0, &w);
  SaveOptions options;
  options.external_above = 0;
  save_model(model, folder / "m.onnx", options);
  EXPECT_EQ(fs::file_size(folder / "m.onnx.data"), 4000u);
  EXPECT_EQ(hash_of(load_model(folder / "m.onnx")), hash_of(model));
}

TEST(External, PathsMustStayInTheFolder) {
  const auto folder = testing::fresh_folder();
  fs::create_directories(folder / "in" / "sub");
  write_file(folder / "secret", "0123456789abcdef");
  write_file(folder / "in" / "sub" / "ok", "0123456789abcdef");
  fs::create_symlink(folder / "secret", folder / "in" / "link");
  fs::create_directory_symlink(folder, folder / "in" / "up");
  const fs::path in = folder / "in";
  EXPECT_EQ(loaded_from(in, "sub/ok"), "");
  EXPECT_EQ(loaded_from(in, "./sub/../sub/ok"), "");
  const std::string absolute = folder / "secret";
  for (const std::string& location :
       {std::string("../secret"), std::string("sub/../../secret"), absolute, std::string("link"),
        std::string("up/secret"), std::string("/dev/zero")})
    EXPECT_TRUE(contains(loaded_from(in, location), "leaves the folder of the model")) << location;
  EXPECT_TRUE(contains(loaded_from(in, "."), "Is a directory"));
  EXPECT_TRUE(contains(loaded_from(in, ""), "without a location"));
  EXPECT_TRUE(contains(loaded_from(in, std::string("sub/ok\0x", 8)), "is no path of a file"));
  EXPECT_TRUE(contains(loaded_from(in, std::string(100'000, 'x')), "is no path of a file"));
}

TEST(External, MissingAndShortFilesAndOddNumbersAreErrors) {
  const auto folder = testing::fresh_folder();
  write_file(folder / "w", "0123456789abcdef");
  write_file(folder / "short", "0123456789abcde");
  const auto load = [&](const char* location, const char* offset, const char* length) {
    return loaded_from(folder, location, offset, length);
  };
  EXPECT_EQ(load("w", "0", "16"), "");
  EXPECT_EQ(load("w", "", ""), "");
  EXPECT_TRUE(contains(load("none", "", ""), "io: "));
  EXPECT_TRUE(contains(load("none", "", ""), "initializer 'w'"));
  EXPECT_TRUE(
      contains(load("short", "", ""), "too short: 16 bytes wanted at offset 0, the file has 15"));
  EXPECT_TRUE(contains(load("w", "1", ""), "too short"));
  EXPECT_TRUE(contains(load("w", "17", ""), "too short"));
  EXPECT_TRUE(contains(load("w", "18446744073709551615", ""), "too short"));
  EXPECT_TRUE(contains(load("w", "0", "15"), "its shape needs 16 bytes, its external data has 15"));
  for (const char* garbage : {"-1", "x", "0x10", " 1", "1 ", "1e3", "99999999999999999999999"})
    EXPECT_TRUE(contains(load("w", garbage, ""), "is not a number")) << garbage;
}

TEST(External, AnOddOffsetIsReadable) {
  const auto folder = testing::fresh_folder();
  std::string bytes(3, 'x');
  const std::array<float, 4> values = {1, 2, 3, 4};
  bytes.append(reinterpret_cast<const char*>(values.data()), 16);
  write_file(folder / "w", bytes);
  onnx::ModelProto message = to_proto(counted(4));
  external(message, "w", "3", "");
  write_file(folder / "m.onnx", message.SerializeAsString());
  EXPECT_EQ(load_model(folder / "m.onnx").graph().find("w")->constant().to_vector<float>(),
            (std::vector<float>{1, 2, 3, 4}));
}

TEST(External, OnlyInitializersOfTypesThatWeKnow) {
  const auto folder = testing::fresh_folder();
  onnx::ModelProto message = to_proto(counted(4));
  external(message, "w", "", "").set_data_type(18);
  write_file(folder / "m.onnx", message.SerializeAsString());
  EXPECT_TRUE(contains(error_of([&] { load_model(folder / "m.onnx"); }),
                       "unsupported: " + (folder / "m.onnx").string()));
}

// 3 GB of weights in a sparse file: mapped, never in memory, and written again in one stream. Takes
// 3 GB of disk, so it runs on request only.
TEST(External, MoreThanProtobufCanHold) {
  if (std::getenv("INTAGLIO_LARGE_TESTS") == nullptr)
    GTEST_SKIP() << "set INTAGLIO_LARGE_TESTS=1 to run it";
  const auto folder = testing::fresh_folder();
  constexpr std::int64_t count = std::int64_t{3} << 28;
  std::ofstream(folder / "w").close();
  fs::resize_file(folder / "w", count * 4);
  onnx::ModelProto message = to_proto(counted(4));
  external(message, "w", "", "").set_dims(0, count);
  write_file(folder / "m.onnx", message.SerializeAsString());
  const Model model = load_model(folder / "m.onnx");
  EXPECT_EQ(model.graph().find("w")->constant().bytes(), std::size_t{3} << 30);
  save_model(model, folder / "again.onnx");
  EXPECT_EQ(fs::file_size(folder / "again.onnx.data"), std::size_t{3} << 30);
  EXPECT_EQ(load_model(folder / "again.onnx").graph().find("w")->constant().size(), count);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace intaglio
