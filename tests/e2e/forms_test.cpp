// Every output form of the embedded demo, as a user makes and measures it.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "lib/base/json.h"
#include "lib/graph/model.h"
#include "lib/io/load.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;
using Arguments = std::vector<std::string>;

Arguments with(Arguments first, const Arguments& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

const Arguments calibration = {"--data", data("calib"), "--preprocess", data("preprocess.json")};

Ran quantize(const std::filesystem::path& out, const Arguments& more) {
  return run_program(
      with({"--quiet", "quantize", data("demo.onnx"), "-o", out.string(), "--json"}, more));
}

Json evaluated(const std::filesystem::path& model, const Arguments& more = {}) {
  const Ran ran =
      run_program(with({"--quiet", "evaluate", model.string(), "--data", data("eval"), "--labels",
                        data("eval/labels.csv"), "--preprocess", data("preprocess.json"),
                        "--reference", data("demo.onnx"), "--json"},
                       more));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return Json::parse(ran.out);
}

std::set<std::string> ops_of(const std::filesystem::path& path) {
  const Model model = load_model(path);
  std::set<std::string> ops;
  for (const Node* node : model.graph().nodes())
    ops.insert(node->domain().empty() ? node->op() : node->domain() + "." + node->op());
  return ops;
}

TEST(Forms, EachKeepsTheAccuracyAndShrinksTheFile) {
  const auto folder = fresh_folder();
  const auto fp32 = std::filesystem::file_size(data("demo.onnx"));
  struct Form {
    std::string name;
    Arguments arguments;
    std::string op, absent;
  };
  for (const Form& form : std::vector<Form>{
           {"qoperator", with(calibration, {"--format", "qoperator"}), "QLinearConv",
            "com.microsoft.QLinearAdd"},
           {"contrib", with(calibration, {"--format", "qoperator", "--contrib"}),
            "com.microsoft.QLinearAdd", "Conv"},
           {"dynamic", {"--format", "dynamic"}, "ConvInteger", "QuantizeLinear"},
           {"weights", {"--format", "weights"}, "DequantizeLinear", "QuantizeLinear"}}) {
    const auto out = folder / (form.name + ".onnx");
    const Ran ran = quantize(out, form.arguments);
    ASSERT_EQ(ran.exit_code, 0) << form.name << ran.err;
    EXPECT_EQ(Json::parse(ran.out)["output"]["format"],
              form.arguments[form.arguments[0] == "--format" ? 1 : 5]);
    EXPECT_TRUE(ops_of(out).contains(form.op)) << form.name;
    EXPECT_FALSE(ops_of(out).contains(form.absent)) << form.name;
    EXPECT_LT(std::filesystem::file_size(out), fp32 / 2) << form.name;
    const Json e = evaluated(out)["evaluation"];
    EXPECT_GT(e["top1"].get<double>(), e["reference"]["top1"].get<double>() - 1.5) << form.name;
  }
}

// Both are the same integers in other clothes.
TEST(Forms, QOperatorComputesWhatQdqDoes) {
  const auto folder = fresh_folder();
  ASSERT_EQ(quantize(folder / "a.onnx", with(calibration, {"--placement", "speed"})).exit_code, 0);
  ASSERT_EQ(quantize(folder / "b.onnx", with(calibration, {"--format", "qoperator", "--contrib"}))
                .exit_code,
            0);
  const Json a = evaluated(folder / "a.onnx"), b = evaluated(folder / "b.onnx");
  EXPECT_EQ(a["evaluation"], b["evaluation"]);
  EXPECT_TRUE(b["execution"]["float_nodes"].empty()) << b["execution"];
}

TEST(Forms, TheReportComparesEveryActivationOfAQOperatorModel) {
  const Ran ran = quantize(fresh_folder() / "a.onnx", with(calibration, {"--format", "qoperator"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  int compared = 0, pairs = 0;
  for (const Json& value : report["values"])
    compared +=
        value["kind"] == "activation" && value.contains("sqnr_db") && !value["sqnr_db"].is_null();
  for (const Json& node : report["nodes"])
    pairs += node["reason"].get<std::string>().starts_with("between Q/DQ pairs: ");
  EXPECT_GT(compared, 10);
  EXPECT_GT(pairs, 0) << "Add has no standard integer form, which the report says";
}

TEST(Forms, DataIsNotNeededWithoutCalibration) {
  const auto folder = fresh_folder();
  const Ran alone = quantize(folder / "a.onnx", {"--format", "dynamic"});
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_EQ(Json::parse(alone.out)["method"]["name"], "none");
  EXPECT_TRUE(Json::parse(alone.out)["warnings"].empty());
  const Ran given = quantize(folder / "b.onnx", with(calibration, {"--format", "dynamic"}));
  ASSERT_EQ(given.exit_code, 0) << given.err;
  const Json report = Json::parse(given.out);
  EXPECT_NE(report["warnings"].dump().find("needs no calibration"), std::string::npos)
      << report["warnings"];
  EXPECT_FALSE(report["evaluation"].is_null());
}

TEST(Forms, IntegerInterfacesAreFedWithRealValues) {
  const auto folder = fresh_folder();
  ASSERT_EQ(quantize(folder / "float.onnx", with(calibration, {"--format", "qoperator"})).exit_code,
            0);
  for (const char* type : {"u8", "s8"}) {
    const Ran ran =
        quantize(folder / "io.onnx", with(calibration, {"--format", "qoperator", "--io", type}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Json interface = Json::parse(ran.out)["interface"];
    EXPECT_EQ(interface["inputs"][0]["type"], std::string(type) == "u8" ? "uint8" : "int8");
    EXPECT_EQ(load_model(folder / "io.onnx").graph().outputs().front()->dtype(), dtype_named(type));
    const Json e = evaluated(folder / "io.onnx")["evaluation"];
    EXPECT_GT(e["top1"].get<double>(), e["reference"]["top1"].get<double>() - 2.5)
        << "codes of scores tie";
  }
}

TEST(Forms, EveryTargetPassesItsOwnCheck) {
  const auto folder = fresh_folder();
  const auto out = (folder / "t.onnx").string();
  for (const char* target :
       {"onnxruntime", "onnxruntime-avx2", "onnxruntime-arm", "tensorrt", "openvino", "qnn",
        "stm32n6", "tflite-like", "ncnn", "sophgo", "vitis-xint8"}) {
    const Ran ran = quantize(out, with(calibration, {"--target", target, "--limit", "8"}));
    ASSERT_EQ(ran.exit_code, 0) << target << ran.err;
    const Ran checked = run_program({"check", out, "--target", target, "--json"});
    EXPECT_EQ(checked.exit_code, 0) << target << checked.out;
    const Json report = Json::parse(checked.out);
    EXPECT_TRUE(report["fits"].get<bool>());
    EXPECT_EQ(report["integer_macs_percent"], 100.0) << target;
    EXPECT_GT(report["activation_bytes"].get<int>(), 0);
  }
  const Ran other = run_program({"check", out, "--target", "tensorrt"});
  EXPECT_EQ(other.exit_code, 8);
  EXPECT_NE(other.out.find("misfit"), std::string::npos) << other.out;
  EXPECT_EQ(run_program({"check", data("demo.onnx")}).exit_code, 8) << "a float model";
}

TEST(Forms, QuantizedModelsChangeTheirFormWhenAsked) {
  const auto folder = fresh_folder();
  const auto qdq = folder / "qdq.onnx", codes = folder / "codes.onnx", back = folder / "back.onnx";
  ASSERT_EQ(quantize(qdq, calibration).exit_code, 0);
  const auto convert = [&](const std::filesystem::path& from, const std::filesystem::path& to,
                           const Arguments& more) {
    return run_program(
        with({"--quiet", "quantize", from.string(), "-o", to.string(), "--json"}, more));
  };
  const Ran refused = convert(qdq, codes, calibration);
  EXPECT_EQ(refused.exit_code, 6);
  EXPECT_NE(refused.err.find("--from-qdq"), std::string::npos)
      << "never in silence, but with a way";
  const Ran there = convert(qdq, codes, {"--from-qdq", "--format", "qoperator", "--contrib"});
  ASSERT_EQ(there.exit_code, 0) << there.err;
  EXPECT_TRUE(ops_of(codes).contains("QLinearConv"));
  const Ran returned = convert(codes, back, {"--from-qdq"});
  ASSERT_EQ(returned.exit_code, 0) << returned.err;
  EXPECT_FALSE(ops_of(back).contains("QLinearConv"));
  const Json a = evaluated(qdq)["evaluation"];
  EXPECT_EQ(a, evaluated(codes)["evaluation"]);
  EXPECT_EQ(a, evaluated(back)["evaluation"]);
  EXPECT_EQ(convert(data("demo.onnx"), back, {"--from-qdq"}).exit_code, 5) << "nothing to convert";
}

TEST(Forms, HalfPrecisionIsTheStepBetween) {
  const auto folder = fresh_folder();
  const auto fp32 = std::filesystem::file_size(data("demo.onnx"));
  for (const std::string type : {"fp16", "bf16"}) {
    const auto out = folder / (type + ".onnx");
    const Ran ran = quantize(out, {"--format", "weights", "--weights", type});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_LT(std::filesystem::file_size(out), fp32 * 0.52);
    int weights = 0;
    const Json report = Json::parse(ran.out);
    for (const Json& value : report["values"]) {
      if (value["kind"] != "weight") continue;
      ++weights;
      EXPECT_EQ(value["type"], type == "fp16" ? "float16" : "bfloat16");
      EXPECT_EQ(value["clipped"], 0);
      EXPECT_TRUE(value.contains("vanished"));
      EXPECT_GT(value["sqnr_db"].get<double>(), type == "fp16" ? 60 : 45);
    }
    EXPECT_EQ(weights, 17);
    EXPECT_GT(evaluated(out)["evaluation"]["agreement"].get<double>(), 99.5);
    EXPECT_EQ(run_program({"check", out.string()}).exit_code, 0);
  }
}

TEST(Forms, TheFloatRestComputesInFloat16) {
  const auto folder = fresh_folder();
  const auto out = folder / "mixed.onnx", planned = folder / "planned.onnx";
  const Ran ran =
      quantize(out, with(calibration, {"--float16", "--exclude", "/block5/.*", "--save-plan",
                                       (folder / "plan.json").string()}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  int halves = 0;
  for (const Json& node : report["nodes"]) {
    EXPECT_EQ(node.contains("precision"), node["status"] == "float") << node;
    halves += node.value("precision", "") == "float16";
  }
  EXPECT_EQ(halves, 6) << "block5";
  int constants = 0;
  for (const Json& value : report["values"])
    constants += value["kind"] == "constant" && value["type"] == "float16";
  EXPECT_GE(constants, 6);
  const Model model = load_model(out);
  EXPECT_EQ(model.graph().inputs().front()->dtype(), DType::f32);
  EXPECT_EQ(model.graph().outputs().front()->dtype(), DType::f32);
  const Json e = evaluated(out)["evaluation"],
             exact = evaluated(out, {"--exact", "float"})["evaluation"];
  EXPECT_GT(e["top1"].get<double>(), e["reference"]["top1"].get<double>() - 1.5);
  EXPECT_GT(exact["top1"].get<double>(), e["reference"]["top1"].get<double>() - 1.5);
  EXPECT_EQ(run_program({"check", out.string()}).exit_code, 0);
  ASSERT_EQ(quantize(planned, {"--plan", (folder / "plan.json").string()}).exit_code, 0);
  EXPECT_EQ(evaluated(planned)["evaluation"], e) << "the plan says what computes in float16";
}

TEST(Forms, Float16WithoutDataIsNotedAndEveryFormTakesIt) {
  const auto out = fresh_folder() / "x.onnx";
  const Ran alone = quantize(out, {"--format", "weights", "--weights", "fp16", "--float16"});
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_NE(Json::parse(alone.out)["warnings"].dump().find("without --data"), std::string::npos);
  EXPECT_FALSE(ops_of(out).contains("DequantizeLinear"));
  EXPECT_GT(evaluated(out)["evaluation"]["agreement"].get<double>(), 99);
  for (const Arguments& form : std::vector<Arguments>{{"--format", "qoperator"},
                                                      {"--format", "qoperator", "--contrib"},
                                                      {"--format", "dynamic"},
                                                      {"--io", "u8"}}) {
    const Ran ran =
        quantize(out, with(with(calibration, form), {"--float16", "--exclude", "/block5/.*"}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Json e = evaluated(out)["evaluation"];
    EXPECT_GT(e["top1"].get<double>(), e["reference"]["top1"].get<double>() - 2.5) << form[1];
  }
}

TEST(Forms, Float16WithoutAFloatRestIsNoted) {
  const Ran ran = quantize(fresh_folder() / "x.onnx", with(calibration, {"--float16"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(Json::parse(ran.out)["warnings"].dump().find("no node computes in float16"),
            std::string::npos);
}

TEST(Forms, ContradictionsAreRefused) {
  const auto folder = fresh_folder();
  struct Case {
    Arguments arguments;
    int code;
    std::string word;
  };
  for (const Case& c : std::vector<Case>{
           {with(calibration, {"--contrib"}), 2, "--contrib"},
           {{"--format", "weights", "--activations", "s8"}, 2, "activations stay float"},
           {{"--format", "dynamic", "--io", "u8"}, 2, "--io"},
           {{"--format", "dynamic", "--symmetric"}, 2, "as the model runs"},
           {{"--format", "dynamic", "--weights", "s16"}, 3, "8 bits"},
           {{"--format", "dynamic", "--weights", "fp16"}, 2, "has integers"},
           {{"--format", "weights", "--weights", "bf16", "--granularity", "tensor"},
            2,
            "no scales"},
           {with(calibration, {"--target", "stm32n6", "--float16"}), 3, "takes no float16"},
           {{"--plan", data("demo.onnx"), "--float16"}, 2, "a plan says itself"},
           {{"--format", "weights", "--placement", "accuracy"}, 2, "no Q/DQ pairs"},
           {with(calibration, {"--target", "tensorrt", "--format", "qoperator"}), 3,
            "reads no models"},
           {with(calibration, {"--target", "tensorrt", "--activations", "u8"}), 3,
            "takes activations of type int8"},
           {with(calibration, {"--format", "qoperator", "--activations", "u16"}), 3, "8 bits"}}) {
    const Ran ran = quantize(folder / "x.onnx", c.arguments);
    EXPECT_EQ(ran.exit_code, c.code) << c.word << ": " << ran.err;
    EXPECT_NE(ran.err.find(c.word), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "x.onnx"));
  }
}

}  // namespace
}  // namespace intaglio
