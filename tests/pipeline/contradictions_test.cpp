// Options that contradict each other are refused before anything is read, and say what to do.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "apps/pipeline/analyze.h"
#include "apps/pipeline/calibrate.h"
#include "apps/pipeline/compare.h"
#include "apps/pipeline/evaluate_model.h"
#include "apps/pipeline/quantize.h"

namespace intaglio {
namespace {

// The message with its remedy; "taken" where nothing was thrown, and the code where it is not that
// of a wrong use.
std::string refusal(const std::function<void()>& action, Code code = Code::usage) {
  try {
    action();
  } catch (const Error& e) {
    if (e.code() != code) return fmt::format("code {}: {}", static_cast<int>(e.code()), e.what());
    return std::string(e.what()) + " | " + e.remedy();
  }
  return "taken";
}

std::string of_target(const std::function<void(QuantOptions&)>& edit, Code code = Code::usage) {
  QuantOptions options;
  edit(options);
  return refusal([&] { effective_target(options); }, code);
}

TEST(Contradictions, OfTheForm) {
  EXPECT_EQ(of_target([](auto&) {}), "taken");
  EXPECT_EQ(of_target([](auto& o) { o.form.contrib = true; }),
            "--contrib: the form 'qdq' has no use for it | Leave it out, or use --format qoperator "
            "or dynamic.");
  for (const char* form : {"dynamic", "weights"}) {
    EXPECT_NE(of_target([&](auto& o) {
                o.form.format = form, o.form.from_qdq = true;
              }).find("--from-qdq: a quantized model does not become the form"),
              std::string::npos);
    EXPECT_NE(of_target([&](auto& o) {
                o.form.format = form, o.form.io = "u8";
              }).find("has no codes of inputs and outputs"),
              std::string::npos);
    EXPECT_NE(of_target([&](auto& o) {
                o.form.format = form, o.symmetric = true;
              }).find("have no effect"),
              std::string::npos);
  }
  EXPECT_NE(of_target([](auto& o) {
              o.form.format = "qoperator", o.form.placement = "accuracy";
            }).find("has no Q/DQ pairs"),
            std::string::npos);
}

TEST(Contradictions, OfHalfPrecisionWeights) {
  EXPECT_EQ(of_target([](auto& o) { o.weights = "fp16", o.form.format = "weights"; }), "taken");
  EXPECT_NE(of_target([](auto& o) { o.weights = "fp16"; }).find("the form 'qdq' has integers"),
            std::string::npos);
  EXPECT_NE(of_target([](auto& o) {
              o.weights = "bf16", o.form.format = "weights", o.reduce_range = true;
            }).find("there are no scales"),
            std::string::npos);
}

TEST(Contradictions, OfATargetThatDoesNotTakeTheForm) {
  EXPECT_NE(
      of_target([](auto& o) { o.target = "tensorrt", o.form.format = "qoperator"; }, Code::config)
          .find("tensorrt"),
      std::string::npos);
}

FormOptions form_named(const std::string& name) {
  FormOptions form;
  form.format = name;
  return form;
}

KeepOptions keep(const std::string& layers, const std::string& as = "float") {
  return {.layers = layers, .objective = "macs", .as = as};
}

TEST(Contradictions, OfTheSearchForLayers) {
  const FormOptions qdq;
  const Gates none, sqnr{.min_sqnr = 30}, top1{.max_top1_drop = 1};
  const auto searched = [&](const KeepOptions& options, const Gates& gates, const FormOptions& form,
                            bool data = true, bool plan = false, bool eval_data = false) {
    return refusal([&] { require_searchable(options, gates, form, data, plan, eval_data); });
  };
  EXPECT_EQ(searched({}, none, qdq, false), "taken");
  EXPECT_EQ(searched(keep("3"), none, qdq), "taken");
  EXPECT_EQ(searched(keep("auto"), sqnr, qdq), "taken");
  EXPECT_NE(searched(keep("", "16bit"), none, qdq).find("--keep-as says"), std::string::npos);
  EXPECT_NE(searched(keep("many"), none, qdq).find("neither a count nor auto"), std::string::npos);
  EXPECT_NE(searched(keep("3"), none, qdq, true, true).find("a plan says itself"),
            std::string::npos);
  EXPECT_NE(searched(keep("3"), none, form_named("dynamic")).find("no layers to choose from"),
            std::string::npos);
  EXPECT_NE(searched(keep("3", "16bit"), none, form_named("qoperator")).find("have 8 bits"),
            std::string::npos);
  EXPECT_NE(searched(keep("3"), none, qdq, false).find("chosen by measuring"), std::string::npos);
  EXPECT_NE(searched(keep("auto"), none, qdq).find("something to reach"), std::string::npos);
  EXPECT_NE(searched(keep("auto"), top1, qdq, true, false, true).find("needs labels"),
            std::string::npos);
}

TEST(Contradictions, OfQuantize) {
  const auto refused = [](const std::function<void(QuantizeSpec&)>& edit) {
    QuantizeSpec spec;
    edit(spec);
    return refusal([&] { require_consistent(spec); });
  };
  EXPECT_EQ(refused([](auto&) {}), "taken");
  EXPECT_NE(refused([](auto& s) {
              s.plan = "p.json", s.quant.form.float16 = true;
            }).find("a plan says itself"),
            std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.gates.min_sqnr = 1; }).find("a gate needs samples"),
            std::string::npos);
  EXPECT_NE(refused([](auto& s) {
              s.gates.min_sqnr = 1, s.data.data = {"d"}, s.eval_limit = 0;
            }).find("a gate needs samples"),
            std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.metric.metrics = {"psnr"}; }).find("--metric needs samples"),
            std::string::npos);
  EXPECT_EQ(refused([](auto& s) { s.gates.min_sqnr = 1, s.eval_data = {"d"}; }), "taken");
}

TEST(Contradictions, OfCommandsThatCompare) {
  CompareSpec compare;
  compare.quant.form.format = "weights";
  EXPECT_NE(refusal([&] { require_consistent(compare); }).find("no calibration methods"),
            std::string::npos);
  compare.quant.form.format = "qdq";
  compare.objective = "top1";
  EXPECT_NE(refusal([&] { require_consistent(compare); }).find("needs labels"), std::string::npos);
  AnalyzeSpec analyze;
  analyze.quant.form.format = "dynamic";
  EXPECT_NE(refusal([&] { require_consistent(analyze); }).find("no layers with ranges"),
            std::string::npos);
  EvaluateSpec evaluate;
  EXPECT_NE(refusal([&] { require_consistent(evaluate); }).find("nothing to compare with"),
            std::string::npos);
}

TEST(Refine, StepsComeFromTheEffortOrFromAList) {
  EXPECT_EQ(step_names(refine_steps({"fast", {}})), (std::vector<std::string_view>{}));
  EXPECT_EQ(
      step_names(refine_steps({"balanced", {}})),
      (std::vector<std::string_view>{"shift", "equalization", "migration", "bias_correction"}));
  EXPECT_EQ(step_names(refine_steps({"best", {}})).size(), 5u);
  EXPECT_EQ(step_names(refine_steps({"best", {"rounding"}})),
            (std::vector<std::string_view>{"rounding"}));
  EXPECT_TRUE(step_names(refine_steps({"best", {"none"}})).empty());
  EXPECT_NE(refusal([] { refine_steps({"best", {"shifd"}}); }).find("shift"), std::string::npos);
  EXPECT_NE(refusal([] {
              refine_steps({"best", {"none", "shift"}});
            }).find("'none' is no step"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio
