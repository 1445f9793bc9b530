// How each form of output is drafted and written: a row for each in form.cpp. To add a form, name
// it in lib/quant/form.h, write its writer, and give it a row.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/graph/model.h"
#include "lib/quant/draft.h"
#include "lib/quant/form.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// What has been written.
struct Written {
  // By activation of the plan: the value that holds what was dequantized, or its codes.
  std::map<std::string, std::string> dequantized, codes;
  std::map<std::string, std::string> in_float;  // by node, why it stays between Q/DQ pairs
  std::map<std::string, std::string> dropped;   // by node, why it is not written
};

struct WriteOptions {
  bool contrib = false;             // operators of com.microsoft may be written
  Engine engine = Engine::pairs;    // what will run it
  bool float_results = false;       // of the target
  std::int64_t accuracy_level = 0;  // of MatMulNBits; 0: it is left out
  bool drop_implied = false;        // activations that the codes behind them imply
};

struct FormDef {
  OutputForm form;
  // The target as a draft for this form sees it. Throws Code::config when the form cannot have it.
  Target (*target)(Target target);
  // Which nodes and values are quantized.
  Plan (*draft)(const Graph& graph, const Target& target, const Selection& selection);
  // Rewrites the prepared model that the plan was drafted for. Its inputs and outputs stay float.
  Written (*write)(Model& model, const Plan& plan, const WriteOptions& options);
};

const FormDef& def_of(OutputForm form);

}  // namespace intaglio
