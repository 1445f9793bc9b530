#include "apps/growth.h"

#include <fmt/format.h>

#include "lib/base/memory.h"
#include "lib/io/save.h"

namespace intaglio {
namespace {

constexpr std::uint64_t wider = 2;  // float32 than float16, which preparation makes of it

std::uint64_t constant_bytes(const Model& model) {
  std::uint64_t bytes = 0;
  for (const Value* value : model.graph().values())
    if (value->is_constant()) bytes += value->constant().bytes();
  return bytes;
}

}  // namespace

std::string growth_warning(const Model& prepared, std::uint64_t source_bytes, const Model& result) {
  const std::uint64_t whole = size_of(prepared);
  const bool beside = constant_bytes(prepared) > wider * source_bytes;  // weights in other files
  const std::uint64_t before = beside ? whole : source_bytes, after = size_of(result);
  if (after <= before) return {};
  const std::uint64_t weights = constant_bytes(prepared), codes = constant_bytes(result);
  if (codes <= weights)
    return fmt::format(
        "the result is larger than its source ({} instead of {}): codes save {} of its constants, "
        "and the nodes and scales around them take more than that",
        human_bytes(after), human_bytes(before), human_bytes(weights - codes));
  return fmt::format(
      "the result is larger than its source ({} instead of {}): its constants take {} instead of "
      "{}: layers that need other codes of the same weights, or read them as floats too, store "
      "them once more",
      human_bytes(after), human_bytes(before), human_bytes(codes), human_bytes(weights));
}

}  // namespace intaglio
