#include "apps/options/exact.h"

#include "apps/options/choice.h"

namespace intaglio {

void add_exact_option(CLI::App& command, Arithmetic& exact) {
  add_choice(command, "--exact", exact,
             "Run quantized operators on integers, as onnxruntime does, or simulate them in float");
}

}  // namespace intaglio
