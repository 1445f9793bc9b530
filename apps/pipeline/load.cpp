#include "apps/pipeline/load.h"

#include "lib/exec/infer.h"

namespace intaglio {

Model load_valid(const std::filesystem::path& path, DataFiles* data_files) {
  Model model = load_model(path, data_files);
  try {
    require_valid(model);
    return model;
  } catch (const Error& e) {
    throw e.within(path.string());
  }
}

Model load_runnable(const std::filesystem::path& path, DataFiles* data_files) {
  Model model = load_valid(path, data_files);
  try {
    inline_functions(model);
    return model;
  } catch (const Error& e) {
    throw e.within(path.string());
  }
}

}  // namespace intaglio
