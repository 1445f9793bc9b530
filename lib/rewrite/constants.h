// Constants as codes with their scale and zero point: what all writers store.
#pragma once

#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// One value per channel, or a scalar.
Tensor scale_tensor(const QParams& params);
Tensor zero_point_tensor(const QParams& params);

// What names of new values and nodes begin with: the name that they are derived from, or, of one
// over 48 bytes, the last parts of it that have no more together ("a/b;c/d": exporters name a fused
// operator after all that went into it, and names would outweigh the codes).
std::string name_stem(const std::string& name);

struct StoredCodes {
  Value *codes, *scale;
  Value* zero_point;  // zeros of int32, too: ONNX may leave them out, but compilers look for them
};
// New constants, named after `name`.
StoredCodes store_codes(Graph& graph, const std::string& name, const Tensor& codes,
                        const QParams& params);

// A DequantizeLinear of codes along params.axis, making a new value of the given dimensions.
Value& dequantize_linear(Graph& graph, const std::string& name, const StoredCodes& stored,
                         const QParams& params, std::optional<Dims> dims);

// The same of float16 or bfloat16.
Value& store_halves(Graph& graph, const std::string& name, const Tensor& halves);

// A Cast of float16 or bfloat16 to float, making a new value of the same dimensions.
Value& cast_to_float(Graph& graph, const std::string& name, Value& half);

// The node reads DequantizeLinear(codes), or Cast(halves), instead of the float constant at this
// input, which goes when nothing else reads it.
void replace_constant(Node& node, std::size_t input, const std::string& name, const Tensor& codes,
                      const QParams& params);

}  // namespace intaglio
