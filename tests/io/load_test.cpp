#include "lib/io/load.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "lib/exec/infer.h"
#include "lib/graph/codec.h"
#include "lib/io/save.h"
#include "tests/io/messages.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::error_of;
using testing::TextModel;

onnx::ModelProto sample() {
  return to_proto(TextModel().producer("p").model(
      R"((bool c, float[N,2] x) => (float[N,2] y) <float[2] w = {1, 2}, bool[2] b = {0, 1}> {
  s = Add (x, w)
  t = Transpose <perm = [0, 1]> (s)
  y = If (c) <then_branch = t1 () => (float[N,2] a) <float[1] i = {3}> { a = Mul (t, i) },
              else_branch = e1 () => (float[N,2] d) { d = Constant <value = float[1] {5}> () }>
})"));
}

// Loads bytes as a model; when they are one, goes through everything that a load is followed by.
std::string outcome(const fs::path& path, const std::string& bytes) {
  fs::remove(path);  // write_file(), or truncating an older file, would wait for the disk each time
  std::ofstream(path, std::ios::binary) << bytes;
  return error_of([&] {
    Model model = load_model(path);
    model.graph().verify();
    infer_types(model);
    const Model copy = model.clone();
    onnx::ModelProto again = to_proto(copy);
    from_proto(std::move(again));
  });
}

TEST(Load, RefusesWhatIsNoModel) {
  const auto folder = testing::fresh_folder();
  const auto path = folder / "m.onnx";
  EXPECT_TRUE(contains(error_of([&] { load_model(folder / "none.onnx"); }), "io: "));
  EXPECT_TRUE(contains(error_of([&] { load_model(folder); }), "Is a directory"));
  EXPECT_EQ(outcome(path, ""), "model: " + path.string() + ": the file is empty");
  EXPECT_TRUE(contains(outcome(path, "<html>not found</html>"), "not an ONNX model"));
  EXPECT_TRUE(contains(outcome(path, "\x89PNG\r\n"), "not an ONNX model"));
  EXPECT_TRUE(contains(outcome(path, std::string(1000, '\0')), "not an ONNX model"));
  EXPECT_TRUE(contains(outcome(path, "\x08\x08"), "holds no graph"));  // ir_version: 8
}

TEST(Load, RefusesElementTypesAndLengthsThatAreNone) {
  const auto path = testing::fresh_folder() / "m.onnx";
  const auto with = [&](auto edit) {
    onnx::ModelProto model = sample();
    edit(*model.mutable_graph());
    return outcome(path, model.SerializeAsString());
  };
  const auto type_of = [](onnx::ValueInfoProto& info) {
    return info.mutable_type()->mutable_tensor_type();
  };
  for (const int type : {29, 77, -1})
    EXPECT_TRUE(contains(with([&](auto& g) { type_of(*g.mutable_input(1))->set_elem_type(type); }),
                         "is no element type"));
  for (const bool input : {true, false})
    EXPECT_TRUE(contains(with([&](auto& g) {
                           auto& info = input ? *g.mutable_input(1) : *g.mutable_output(0);
                           type_of(info)->mutable_shape()->mutable_dim(0)->set_dim_value(-7);
                         }),
                         "has an axis of -7 elements"));
  // Some exporters' "not known", and outputs that say nothing, are in use.
  EXPECT_EQ(with([&](auto& g) {
              type_of(*g.mutable_output(0))->mutable_shape()->mutable_dim(0)->set_dim_value(-1);
            }),
            "");
  EXPECT_EQ(with([](auto& g) { g.mutable_output(0)->clear_type(); }), "");
}

TEST(Load, RefusesTensorsThatDoNotFitTheirShape) {
  const auto path = testing::fresh_folder() / "m.onnx";
  const auto with = [&](auto edit) {
    onnx::ModelProto message = sample();
    edit(*message.mutable_graph()->mutable_initializer(0));
    return outcome(path, message.SerializeAsString());
  };
  using onnx::TensorProto;
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_dims(0, 3); }), "initializer 'w'"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_dims(0, -1); }), "negative"));
  EXPECT_TRUE(
      contains(with([](TensorProto& t) { t.set_dims(0, std::int64_t{1} << 60); }), "elements"));
  EXPECT_TRUE(
      contains(with([](TensorProto& t) { t.add_dims(std::int64_t{1} << 62); }), "any memory"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_data_type(0); }), "no element type"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_data_type(257); }), "no element type 257"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_data_type(-1); }), "no element type -1"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_data_type(7); }), "needs"));
  EXPECT_TRUE(contains(with([](TensorProto& t) { t.set_raw_data("12345"); }), "needs 8 bytes"));
}

TEST(Load, RefusesSparseTensorsThatDoNotFit) {
  const auto path = testing::fresh_folder() / "m.onnx";
  const auto with = [&](std::vector<std::int64_t> dims, std::vector<std::int64_t> index_dims,
                        std::vector<std::int64_t> indices) {
    onnx::ModelProto message = sample();
    auto& sparse = *message.mutable_graph()->add_sparse_initializer();
    sparse.mutable_values()->set_name("sp");
    sparse.mutable_values()->set_data_type(onnx::TensorProto::FLOAT);
    sparse.mutable_values()->add_dims(2);
    sparse.mutable_values()->set_raw_data("12345678");
    sparse.mutable_indices()->set_data_type(onnx::TensorProto::INT64);
    for (const auto d : dims) sparse.add_dims(d);
    for (const auto d : index_dims) sparse.mutable_indices()->add_dims(d);
    for (const auto i : indices) sparse.mutable_indices()->add_int64_data(i);
    return outcome(path, message.SerializeAsString());
  };
  EXPECT_EQ(with({4, 3}, {2}, {0, 11}), "");
  EXPECT_EQ(with({4, 3}, {2, 2}, {0, 1, 3, 2}), "");
  EXPECT_TRUE(contains(with({4, 3}, {2}, {0, 12}), "sparse index 12 is outside of [0, 12)"));
  EXPECT_TRUE(contains(with({4, 3}, {2, 2}, {0, 1, 3, -1}), "outside"));
  EXPECT_TRUE(contains(with({4, 3}, {3}, {0, 1, 2}), "indices of shape [3]"));
  EXPECT_TRUE(contains(with({1 << 30, 1 << 30}, {2}, {0, 1}), "unsupported: "));
}

TEST(Load, TruncationAtEveryLengthIsAnErrorOrAModel) {
  const auto path = testing::fresh_folder() / "m.onnx";
  const std::string whole = sample().SerializeAsString();
  EXPECT_EQ(outcome(path, whole), "");
  int models = 0;
  for (std::size_t length = 0; length < whole.size(); ++length)
    models += outcome(path, whole.substr(0, length)).empty();
  EXPECT_LT(models, 3);  // without the imports at the end it is still one
}

// Never a crash, whatever the bytes; the address sanitizer runs this test too.
TEST(Load, DamagedBytesAreAnErrorOrAModel) {
  const auto path = testing::fresh_folder() / "m.onnx";
  const std::string whole = sample().SerializeAsString();
  std::mt19937 engine(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
  int errors = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = whole;
    for (std::size_t k = 1 + below(4); k > 0; --k) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(engine());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
          break;
        case 2:
          bytes.erase(at, 1 + below(8));
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(16)));
      }
    }
    errors += !outcome(path, bytes).empty();
  }
  EXPECT_GT(errors, 1000);
}

TEST(Load, RandomBytesAreAnError) {
  const auto path = testing::fresh_folder() / "m.onnx";
  std::mt19937 engine(2);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(1 + engine() % 200, ' ');
    for (char& c : bytes) c = static_cast<char>(engine());
    EXPECT_NE(outcome(path, bytes), "");
  }
}

TEST(LoadTensor, ReadsOneAndSaysWhyNot) {
  const auto path = testing::fresh_folder() / "t.pb";
  onnx::TensorProto message;
  message.set_data_type(onnx::TensorProto::INT32);
  message.add_dims(2);
  message.add_int32_data(5);
  message.add_int32_data(6);
  write_file(path, message.SerializeAsString());
  EXPECT_EQ(load_tensor(path).to_vector<int>(), (std::vector<int>{5, 6}));
  for (const std::string& bad :
       {std::string(), std::string("nonsense"), std::string("\x10\x01\x08\x05", 4)}) {
    write_file(path, bad);
    EXPECT_TRUE(contains(error_of([&] { load_tensor(path); }), "data: " + path.string())) << bad;
  }
}

TEST(Save, FailsLoudlyAndLeavesNothing) {
  const auto folder = testing::fresh_folder();
  const Model model = from_proto(sample());
  EXPECT_TRUE(contains(error_of([&] { save_model(model, folder / "none" / "m.onnx"); }), "io: "));
  EXPECT_TRUE(contains(error_of([&] { save_model(model, folder); }), "Is a directory"));
  if (fs::exists("/dev/full")) {
    EXPECT_TRUE(contains(error_of([&] { save_model(model, "/dev/full"); }), "No space left"));
  }
  EXPECT_TRUE(fs::is_empty(folder));
}

// The data file cannot be written: then the model must not appear either, and an older one stays.
TEST(Save, ModelAndDataAppearTogether) {
  const auto folder = testing::fresh_folder();
  const Model model = from_proto(sample());
  write_file(folder / "m.onnx", "older");
  fs::create_directory(folder / "m.onnx.data");
  SaveOptions options;
  options.external_above = 0;
  EXPECT_TRUE(contains(error_of([&] { save_model(model, folder / "m.onnx", options); }), "io: "));
  EXPECT_EQ(read_file(folder / "m.onnx"), "older");
}

TEST(Save, TheSameModelGivesTheSameBytes) {
  const auto folder = testing::fresh_folder();
  save_model(from_proto(sample()), folder / "a.onnx");
  save_model(from_proto(sample()), folder / "b.onnx");
  EXPECT_EQ(read_file(folder / "a.onnx"), read_file(folder / "b.onnx"));
}

// The standard wants a type and a shape of every graph output.
TEST(Save, AnOutputWithoutATypeOrShapeGetsTheInferredOne) {
  const auto path = testing::fresh_folder() / "m.onnx";
  Model model = TextModel().typed("(float[N,2] x) => (float[] y, z) { y = Relu (x) z = Neg (x) }");
  save_model(model, path);
  const Model read = load_model(path);
  for (const Value* output : read.graph().outputs()) {
    EXPECT_EQ(output->dtype(), DType::f32);
    ASSERT_TRUE(output->dims());
    EXPECT_EQ(to_string(*output->dims()), "[N,2]");
  }
}

TEST(HashOf, DependsOnContentsNotOnTheirForm) {
  onnx::ModelProto typed = sample();
  auto& w = *typed.mutable_graph()->mutable_initializer(0);
  onnx::ModelProto raw = typed;
  auto& same = *raw.mutable_graph()->mutable_initializer(0);
  const std::vector<float> values =
      tensor_of(std::make_shared<onnx::TensorProto>(w)).to_vector<float>();
  same.clear_float_data();
  same.set_raw_data(values.data(), values.size() * sizeof(float));
  const auto hash = [](onnx::ModelProto m) { return hash_of(from_proto(std::move(m))); };
  EXPECT_EQ(hash(typed), hash(raw));
  w.set_float_data(0, 1.5f);
  EXPECT_NE(hash(typed), hash(raw));
}

// Contents that no tensor of ours holds count too.
TEST(HashOf, SeesStrings) {
  const auto hash = [](const char* text) {
    onnx::ModelProto message = sample();
    auto& tensor = *message.mutable_graph()->add_initializer();
    tensor.set_name("words");
    tensor.set_data_type(onnx::TensorProto::STRING);
    tensor.add_dims(1);
    tensor.add_string_data(text);
    return hash_of(from_proto(std::move(message)));
  };
  EXPECT_EQ(hash("a"), hash("a"));
  EXPECT_NE(hash("a"), hash("b"));
}

}  // namespace
}  // namespace intaglio
