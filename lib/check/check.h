// Whether a quantized model, of any origin, fits a target: what would run in integers, what would
// not and why, what to change, and what it costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/check/memory.h"
#include "lib/graph/model.h"
#include "lib/quant/target.h"

namespace intaglio {

enum class Verdict {
  integer,   // the target runs it in integers
  floating,  // it runs in float, and that is as it must be, or as somebody chose
  misfit,    // it is quantized, but not so that the target runs it in integers, or against a rule
};
std::string_view name_of(Verdict verdict);  // "integer", "float", "misfit"

struct NodeCheck {
  std::string name, op;
  Verdict verdict = Verdict::integer;
  std::string reason, remedy;            // empty for integer
  std::optional<std::int64_t> macs = 0;  // nullopt: shapes are not known
  // Of its first output: shape (nullopt: not known), the type in which the runtime holds it, and
  // bytes (axes that are not known count as 1); and the bytes of its constants as they are stored.
  std::optional<Dims> shape = {};
  DType type = DType::undefined;
  std::int64_t activation_bytes = 0, weight_bytes = 0;
  // Of int8 weights on processors whose u8 x s8 products saturate (lib/quant/saturation.h).
  std::int64_t pairs = 0, saturating_pairs = 0, saturating_channels = 0;
};

struct CheckResult {
  std::vector<NodeCheck>
      nodes;  // those with a float or an integer result of their own, no conversions
  std::vector<NodeCheck>
      model_wide;  // what is wrong with the whole: its form, its opset, broken pairs
  MemoryNeed memory;
  std::int64_t macs = 0, integer_macs = 0;  // of the nodes whose shapes are known
  // QuantizeLinear and DequantizeLinear that run beside the operators, and the values that they
  // make (axes that are not known count as 1).
  std::int64_t conversions = 0, converted = 0;
  bool fits() const;                         // no misfit
  std::size_t count(Verdict verdict) const;  // of nodes
};

// Nanoseconds that integers save on one core with 8-bit dot products, less those that conversions
// take: 0.008 a product, 0.3 a converted value, 1500 a conversion and 700 a node, from small models
// under onnxruntime 1.31. A rough sum: below 0 the speed is worth a look.
double predicted_gain(const CheckResult& result);

// Whether lengths are left open, but for that of a batch: counts of products and bytes take them as 1.
bool has_free_axes(const CheckResult& result);

// Reads Q/DQ, QOperator, dynamic and weight-only models. A model without a single node that runs in
// integers does not fit, unless its form keeps the arithmetic float (weights) and the target reads
// it.
CheckResult check_model(const Model& model, const Target& target);

}  // namespace intaglio
