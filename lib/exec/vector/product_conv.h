#pragma once

#include <memory>

#include "lib/exec/kernel.h"

namespace intaglio {

// Conv of one group with constant filters as a product of windows and filters, followed by the
// operations.
std::unique_ptr<Kernel> make_product_conv(const Node& node, const PostOps& ops);

}  // namespace intaglio
