// fix_default_inputs
//   Before: an initializer that is also a graph input (IR 3 wanted that of all of them): a default
//           value that the caller may override.
//   After:  a plain constant.
//   Why:    runtimes neither fold nor quantize weights that may change, and neither can we.
//   The IR version is raised to 7, the one of opset 13, when something was rewritten, and also when
//   it is below 4: only from 4 on may an initializer, such as those that later passes make, not be
//   an input.

#include "lib/passes/list.h"

namespace intaglio {

int fix_default_inputs(Model& model, const PrepareOptions&) {
  constexpr std::int64_t plain_initializers = 4, ir_of_opset_13 = 7;
  int rewrites = 0;
  for (Value* value : std::vector<Value*>(model.graph().inputs())) {
    if (!value->is_constant()) continue;
    model.graph().drop_input(*value);
    ++rewrites;
  }
  if (model.ir_version() < (rewrites > 0 ? ir_of_opset_13 : plain_initializers))
    model.set_ir_version(ir_of_opset_13);
  return rewrites;
}

}  // namespace intaglio
