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
  for (const OutputForm form : {OutputForm::dynamic, OutputForm::weights}) {
    EXPECT_NE(of_target([&](auto& o) {
                o.form.form = form, o.form.from_qdq = true;
              }).find("--from-qdq: a quantized model does not become the form"),
              std::string::npos);
    EXPECT_NE(of_target([&](auto& o) {
                o.form.form = form, o.form.io.inputs = DType::u8;
              }).find("has no codes of inputs and outputs"),
              std::string::npos);
    EXPECT_NE(
        of_target([&](auto& o) { o.form.form = form, o.symmetric = true; }).find("have no effect"),
        std::string::npos);
  }
  EXPECT_NE(of_target([](auto& o) {
              o.form.form = OutputForm::qoperator, o.form.placement = Placement::accuracy;
            }).find("has no Q/DQ pairs"),
            std::string::npos);
}

TEST(Contradictions, OfWhatWouldHaveNoEffect) {
  EXPECT_NE(of_target([](auto& o) {
              o.form.form = OutputForm::dynamic, o.input_range = Range{-1, 1};
            }).find("no range of an input"),
            std::string::npos);
  EXPECT_NE(
      of_target([](auto& o) { o.form.from_qdq = true, o.opset = 17; }).find("keeps its opset"),
      std::string::npos);
}

TEST(Contradictions, OfHalfPrecisionWeights) {
  EXPECT_EQ(of_target([](auto& o) { o.weights = DType::f16, o.form.form = OutputForm::weights; }),
            "taken");
  EXPECT_NE(of_target([](auto& o) { o.weights = DType::f16; }).find("the form 'qdq' has integers"),
            std::string::npos);
  EXPECT_NE(of_target([](auto& o) {
              o.weights = DType::bf16, o.form.form = OutputForm::weights, o.reduce_range = true;
            }).find("there are no scales"),
            std::string::npos);
}

TEST(Contradictions, OfATargetThatDoesNotTakeTheForm) {
  EXPECT_NE(of_target([](auto& o) { o.target = "tensorrt", o.form.form = OutputForm::qoperator; },
                      Code::config)
                .find("tensorrt"),
            std::string::npos);
}

FormOptions with_form(OutputForm form) {
  FormOptions options;
  options.form = form;
  return options;
}

KeepOptions keep(const std::string& layers, KeepAs as = KeepAs::floats) {
  return {.layers = layers, .objective = KeepCost::macs, .as = as};
}

TEST(Contradictions, OfTheSearchForLayers) {
  const FormOptions qdq;
  const Gates none, sqnr{.limits = {{"min-sqnr", 30}}}, top1{.limits = {{"max-top1-drop", 1}}};
  const auto searched = [&](const KeepOptions& options, const Gates& gates, const FormOptions& form,
                            bool data = true, bool plan = false, bool eval_data = false) {
    return refusal([&] { require_searchable(options, gates, form, data, plan, eval_data); });
  };
  EXPECT_EQ(searched({}, none, qdq, false), "taken");
  EXPECT_EQ(searched(keep("3"), none, qdq), "taken");
  EXPECT_EQ(searched(keep("auto"), sqnr, qdq), "taken");
  EXPECT_NE(searched(keep("", KeepAs::wide), none, qdq).find("--keep-as says"), std::string::npos);
  EXPECT_NE(searched(keep("many"), none, qdq).find("neither a count nor auto"), std::string::npos);
  EXPECT_NE(searched(keep("3"), none, qdq, true, true).find("a plan says itself"),
            std::string::npos);
  EXPECT_NE(
      searched(keep("3"), none, with_form(OutputForm::dynamic)).find("no layers to choose from"),
      std::string::npos);
  EXPECT_NE(
      searched(keep("3", KeepAs::wide), none, with_form(OutputForm::qoperator)).find("have 8 bits"),
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
  EXPECT_NE(refused([](auto& s) { s.gates.limits["min-sqnr"] = 1; }).find("a gate needs samples"),
            std::string::npos);
  EXPECT_NE(refused([](auto& s) {
              s.gates.limits["min-sqnr"] = 1, s.data.data = {"d"}, s.eval_limit = 0;
            }).find("a gate needs samples"),
            std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.metric.metrics = {"psnr"}; }).find("--metric needs samples"),
            std::string::npos);
  EXPECT_EQ(refused([](auto& s) { s.gates.limits["min-sqnr"] = 1, s.eval_data = {"d"}; }), "taken");
}

TEST(Contradictions, OfCommandsThatCompare) {
  CompareSpec compare;
  compare.quant.form.form = OutputForm::weights;
  EXPECT_NE(refusal([&] { require_consistent(compare); }).find("no calibration methods"),
            std::string::npos);
  compare.quant.form.form = OutputForm::qdq;
  compare.objective = "top1";
  EXPECT_NE(refusal([&] { require_consistent(compare); }).find("needs labels"), std::string::npos);
  AnalyzeSpec analyze;
  analyze.quant.form.form = OutputForm::dynamic;
  EXPECT_NE(refusal([&] { require_consistent(analyze); }).find("no layers with ranges"),
            std::string::npos);
  EvaluateSpec evaluate;
  EXPECT_NE(refusal([&] { require_consistent(evaluate); }).find("nothing to compare with"),
            std::string::npos);
}

TEST(Refine, StepsComeFromTheEffortOrFromAList) {
  EXPECT_EQ(step_names(refine_steps({Effort::fast, {}})), (std::vector<std::string_view>{}));
  EXPECT_EQ(
      step_names(refine_steps({Effort::balanced, {}})),
      (std::vector<std::string_view>{"shift", "equalization", "migration", "bias_correction"}));
  EXPECT_EQ(step_names(refine_steps({Effort::best, {}})).size(), 5u);
  EXPECT_EQ(step_names(refine_steps({Effort::best, {"rounding"}})),
            (std::vector<std::string_view>{"rounding"}));
  EXPECT_TRUE(step_names(refine_steps({Effort::best, {"none"}})).empty());
  EXPECT_NE(refusal([] {
              refine_steps({Effort::best, {"shifd"}});
            }).find("shift"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              refine_steps({Effort::best, {"none", "shift"}});
            }).find("'none' is no step"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio
