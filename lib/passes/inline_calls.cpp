// inline_calls
//   Before: a node that calls a function of the model.
//   After:  the nodes of the function, with the values and attributes of the call; the model has no
//           functions.
//   Why:    kernels, and the passes behind this one, know operators only.

#include "lib/passes/list.h"

namespace intaglio {

int inline_calls(Model& model, const PrepareOptions&) { return inline_functions(model); }

}  // namespace intaglio
