#include "apps/pipeline/load.h"

#include "lib/exec/infer.h"

namespace intaglio {
namespace {

// Runs f; its errors name the file.
template <typename F>
void at_file(const std::filesystem::path& path, F f) {
  try {
    f();
  } catch (const Error& e) {
    throw e.within(path.string());
  }
}

}  // namespace

Model load_valid(const std::filesystem::path& path, DataFiles* data_files) {
  Model model = load_model(path, data_files);
  at_file(path, [&] { require_valid(model); });
  return model;
}

Model load_runnable(const std::filesystem::path& path, DataFiles* data_files) {
  Model model = load_valid(path, data_files);
  at_file(path, [&] { inline_functions(model); });
  return model;
}

}  // namespace intaglio
