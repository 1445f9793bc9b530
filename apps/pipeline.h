// The stages of quantize, in order. Each takes what the ones before it made and cannot reach back.
#pragma once

#include <optional>
#include <string>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/form_options.h"
#include "apps/gates.h"
#include "lib/quant/draft.h"

namespace intaglio {

struct QuantizeOptions {
  std::string model, output, report, save_plan, plan;
  DataOptions data;
  std::vector<std::string> eval_data;
  std::string target = "onnxruntime", method = "minmax";
  FormOptions form;
  std::string weights, activations, granularity;  // empty: the target's
  std::string exact = "integer";  // how the result is evaluated
  bool symmetric = false, reduce_range = false;
  bool json = false, dry_run = false;
  Selection selection;
  Gates gates;
};

void quantize(const QuantizeOptions& options, Context& context);

}  // namespace intaglio
