// What stands around a node and explains that it does not compute in integers.
#pragma once

#include <string>

#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/target.h"

namespace intaglio {

// Nobody can run a product with constant floats on codes, nor one with weights that are computed
// in float: somebody chose not to. Empty: nobody did.
std::string left_float(const Node& node, const Target& target);

// A convolution that the target leaves in float with its activation, that activation, or a pool
// between the two.
bool in_small_product(const Node& node, const Target& target);

bool adds_product_bias(const Node& node);

// Whether what an activation is fused into is quantized.
bool on_codes(const Node* producer);

// Arithmetic on what somebody left float, constants included; anything that reads through a Max
// of one operand, which is there for that (lib/rewrite/float_kept.h).
bool reads_what_is_float(const Node& node, const OpRule& rule);

// Codes of 16 bits, which the target takes, or scheme_violation() would have said so.
bool reads_wide_codes(const Node& node);

bool reads_table(const Node& node);

// What to do about it.
std::string remedy_for(const Node& node, Why why);

}  // namespace intaglio
