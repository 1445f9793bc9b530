// The form of the output: which operators carry the quantized values.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "calibration/refine/migration.h"
#include "lib/graph/model.h"
#include "lib/quant/draft.h"
#include "lib/quant/target.h"
#include "lib/rewrite/interface.h"

namespace intaglio {

struct FormOptions {
  std::string format = "qdq";       // qdq, qoperator, dynamic, weights
  bool contrib = false;             // operators of com.microsoft may be written
  std::string placement = "speed";  // of Q/DQ pairs: speed, accuracy
  std::string io = "float";         // of graph inputs and outputs: float, s8, u8
  bool float16 = false;             // what stays float computes in float16
  bool from_qdq = false;            // the model is quantized already: bring it into the form
  // Whether the form has codes of activations that are known ahead of the run.
  bool has_codes() const { return format == "qdq" || format == "qoperator"; }
  // Whether their ranges come from data.
  bool calibrated() const { return has_codes() && !from_qdq; }
};
// What --activations and --symmetric say is about calibrated ranges; empty and false: not given.
struct ActivationOptions {
  const std::string& type;
  bool symmetric;
};
// Throws Code::usage for options that contradict each other.
void require_consistent(const FormOptions& options, const ActivationOptions& activations);

// The target as a draft for this form sees it; Code::config when the form cannot have it.
Target target_for(const FormOptions& options, Target target);

// Which nodes and values are quantized in this form. With --from-qdq: which of them the model has
// quantized already, without numbers.
Plan draft_for(const FormOptions& options, const Graph& graph, const Target& target,
               const Selection& selection);
// The same, of the graph as it is when some of its nodes hold scales of channels.
Redraft redraft_for(const FormOptions& options, const Target& target, const Selection& selection);

// What has been written.
struct Written {
  // By activation of the plan: the value that holds what was dequantized, or its codes.
  std::map<std::string, std::string> dequantized, codes;
  std::map<std::string, std::string> in_float;  // by node, why it stays between Q/DQ pairs
};
// Rewrites the prepared model that the plan was drafted for (--from-qdq: any). Its inputs and
// outputs stay float. engine: what will run it.
Written write_form(const FormOptions& options, Model& model, const Plan& plan, Engine engine);

// The last step: inputs and outputs of the type asked for; nullopt: they are float.
std::optional<Interface> write_interface(const FormOptions& options, Model& model);

}  // namespace intaglio
