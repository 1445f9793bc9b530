#include "tests/faults/support.h"

#include <algorithm>

namespace intaglio::testing {

std::string quick(const std::filesystem::path& out) {
  return " --threads 1 quantize '" + data("demo.onnx") + "' --data '" + data("calib") +
         "' --limit 4 --effort fast --preprocess '" + data("preprocess.json") + "' -o '" +
         out.string() + "' ";
}

Ran shell(const std::string& script) {
  return run_command({"bash", "-c", script, INTAGLIO_BINARY});
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++count;
  return count;
}

}  // namespace intaglio::testing
