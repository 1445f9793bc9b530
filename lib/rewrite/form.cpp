#include "lib/rewrite/form.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/exec/infer.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/rewrite/dynamic.h"
#include "lib/rewrite/implied.h"
#include "lib/rewrite/product_bias.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

Target as_it_is(Target target) { return target; }

bool keeps_floats(const WriteOptions& options) { return options.engine != Engine::pairs; }

Written qdq(Model& model, const Plan& plan, const WriteOptions& options) {
  Written written;
  written.dequantized = write_qdq(
      model, plan, {.floats_kept = keeps_floats(options), .float_results = options.float_results});
  if (keeps_floats(options)) {
    infer_types(model);
    keep_products_on_codes(model);
  }
  if (options.drop_implied) written.dropped = drop_implied(model.graph());
  return written;
}

Written qoperator(Model& model, const Plan& plan, const WriteOptions& options) {
  QOperatorResult result = write_qoperator(model, plan, options.contrib, keeps_floats(options));
  Written written;
  written.codes = std::move(result.codes);
  for (const IntegerDecision& d : result.decisions)
    if (!d.integer()) written.in_float[d.node] = d.reason;
  return written;
}

void require_float_activations(const Plan& plan, OutputForm form) {
  if (!plan.activations.empty())
    throw Error(Code::config,
                fmt::format("`format` {}: the plan quantizes activations", word_of(form)),
                "Use a plan that was made with this form.");
}

Written dynamic(Model& model, const Plan& plan, const WriteOptions& options) {
  require_float_activations(plan, OutputForm::dynamic);
  write_dynamic(model, plan, options.contrib);
  return {};
}

Plan draft_weights_of(const Graph& graph, const Target& target, const Selection& selection) {
  return target.weights.group > 0 ? draft_groups(graph, target, selection, false)
                                  : draft_weights(graph, target, selection);
}

Target with_straight_weights(Target target) {
  target.straight_gemm = true;
  return target;
}

Written weights(Model& model, const Plan& plan, const WriteOptions&) {
  require_float_activations(plan, OutputForm::weights);
  write_weights(model, plan);
  return {};
}

Plan draft_matmul_nbits(const Graph& graph, const Target& target, const Selection& selection) {
  return draft_groups(graph, target, selection, true);
}

Written matmul_nbits(Model& model, const Plan& plan, const WriteOptions& options) {
  require_float_activations(plan, OutputForm::matmulnbits);
  write_matmul_nbits(model, plan, options.accuracy_level);
  return {};
}

constexpr std::array defs = {
    FormDef{OutputForm::qdq, as_it_is, draft, qdq},
    FormDef{OutputForm::qoperator, qoperator_target, draft, qoperator},
    FormDef{OutputForm::dynamic, dynamic_target, draft_weights, dynamic},
    FormDef{OutputForm::weights, with_straight_weights, draft_weights_of, weights},
    FormDef{OutputForm::matmulnbits, as_it_is, draft_matmul_nbits, matmul_nbits},
    FormDef{OutputForm::tflite, as_it_is, draft, qdq},  // the file is made of the pairs
    FormDef{OutputForm::ncnn, as_it_is, draft, qdq},    // the file is made of the plan
};

}  // namespace

const FormDef& def_of(OutputForm form) { return *std::ranges::find(defs, form, &FormDef::form); }

}  // namespace intaglio
