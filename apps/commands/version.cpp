#include "apps/commands/version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "lib/base/configs.h"
#include "lib/base/json.h"
#include "lib/base/memory.h"
#include "lib/base/parallel.h"
#include "lib/graph/op_schema_table.h"

namespace intaglio {
namespace {

// Of those that some kernel has a variant for.
std::string instruction_sets() {
#if defined(__x86_64__)
  std::vector<std::string_view> sets = {"x86-64"};
  const auto add = [&](const char* name, int has) {
    if (has != 0) sets.emplace_back(name);
  };
  add("avx2", __builtin_cpu_supports("avx2"));
  add("fma", __builtin_cpu_supports("fma"));
  add("avx512f", __builtin_cpu_supports("avx512f"));
  add("avx512bw", __builtin_cpu_supports("avx512bw"));
  add("avx512dq", __builtin_cpu_supports("avx512dq"));
  add("avx512vl", __builtin_cpu_supports("avx512vl"));
  add("avx512vbmi", __builtin_cpu_supports("avx512vbmi"));
  add("avx512vnni", __builtin_cpu_supports("avx512vnni"));
  return fmt::format("{}", fmt::join(sets, ", "));
#else
  return "those that the compiler was asked for";
#endif
}

std::string folders() {
  std::vector<std::string> names;
  for (const std::filesystem::path& folder : config_folders()) names.push_back(folder.string());
  return names.empty() ? "none: targets and presets must be files"
                       : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string version_details() {
  return fmt::format(
      "compiler: {}\n"
      "libraries: {}\n"
      "instruction sets: {}\n"
      "models: ai.onnx up to opset {}, format up to IR {}\n"
      "threads: {}\n"
      "memory: {} of {}\n"
      "JSON: nested up to {} deep\n"
      "configs: {}",
      INTAGLIO_COMPILER, INTAGLIO_LIBRARIES, instruction_sets(), newest_opset(), newest_ir(),
      thread_count(0), human_bytes(memory_limit()), human_bytes(machine_memory()), deepest_json,
      folders());
}

}  // namespace intaglio
