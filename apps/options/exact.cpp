#include "apps/options/exact.h"

#include "apps/options/choice.h"

namespace intaglio {

void add_exact_option(CLI::App& command, std::string& exact) {
  add_choice(command, "--exact", exact, {"integer", "float"},
             "Run quantized operators on integers, as onnxruntime does, or simulate them in float");
}

}  // namespace intaglio
