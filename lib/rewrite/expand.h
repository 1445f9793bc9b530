// Operators on codes become Q/DQ pairs around float operators: the opposite of the QOperator
// writer.
//
// Before:  QLinearConv(x, w, b)
// After:   DequantizeLinear(x), DequantizeLinear(w), DequantizeLinear(b) -> Conv -> QuantizeLinear
//
// For tools that read Q/DQ alone, and for looking at a model of either form in one way. Names of
// nodes, inputs, outputs and codes stay.
#pragma once

#include <string_view>
#include <vector>

#include "lib/graph/model.h"

namespace intaglio {

// The twins of OpTraits: QLinearConv, QLinearMatMul, QGemm, ... Others, and those whose scales are
// not constant where a bias needs them, stay. Returns the number of nodes.
int expand_integer_operators(Model& model);

// The operators whose inputs it can tell apart.
std::vector<std::string_view> expandable_operators();

}  // namespace intaglio
