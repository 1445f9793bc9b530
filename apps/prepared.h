// A float model, loaded and prepared for quantization: the first two stages of every command that
// calibrates.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/contents.h"
#include "apps/context.h"
#include "apps/report.h"
#include "lib/quant/target.h"
#include "lib/rewrite/half_interface.h"

namespace intaglio {

struct Prepared {
  Model model;
  std::optional<Model> original;  // before its channels were rebalanced; nullopt: they were not
  std::map<std::string, std::string> left_float;  // nodes that hold scales, as in Selection
  Json source;           // the "model" part of a report: the file as it was
  Contents contents;     // of the same
  HalfInterface halves;  // graph inputs and outputs that were in half precision
  std::string producer;
  std::vector<PassCount> passes;
  Folded folded;
  std::string hash;  // of the prepared model: what plans and statistics are for

  const Model& reference() const { return original ? *original : model; }
};

// Throws Code::unsupported for a model that is quantized already.
Prepared load_prepared(const std::string& path, const Target& target, Context& context);

// A model that is quantized already, as it is (--from-qdq). Throws Code::model for one that is not.
Prepared load_quantized(const std::string& path, Context& context);

// Throws Code::usage when one of the outputs is the model itself, Code::io when one cannot be
// written; empty paths are none. written: false: nothing is going to be.
void require_outputs(const std::string& model, std::initializer_list<std::string> outputs,
                     bool written = true);

// Adds a warning with the cause where the result, saved as the "output" part of a report says, is
// larger than its source.
void warn_of_growth(const Prepared& prepared, const Model& result, const Json& saved,
                    std::vector<std::string>& warnings);

// Throws Code::unsupported, with an example of a reason, when a plan would quantize no node.
void require_something(const Plan& plan);

}  // namespace intaglio
