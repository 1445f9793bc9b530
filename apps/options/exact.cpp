#include "apps/options/exact.h"

#include "apps/options/choice.h"
#include "apps/options/group.h"

namespace intaglio {

void add_exact_option(CLI::App& command, Arithmetic& exact) {
  begin_group(command, group::comparison);
  add_choice(command, "--exact", exact,
             "Run quantized operators on integers, as onnxruntime does, or simulate them in float");
}

}  // namespace intaglio
