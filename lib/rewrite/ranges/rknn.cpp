// quantize_parameters of NAME.quantization.cfg, which rknn-toolkit2's hybrid_quantization_step1 writes
// and step2 reads (version 2.5.0): YAML, a list of one number for each parameter of a layer. Codes are
// s8; min and max are what the outermost ones stand for. A convolution has the range of the activation that
// is fused into it.
#include <fmt/format.h>

#include "lib/rewrite/ranges/ranges.h"

namespace intaglio {
namespace {

// A name as YAML takes any: in quotes, those inside doubled.
std::string quoted(const std::string& name) {
  std::string text = "'";
  for (const char c : name) text.append(c == '\'' ? 2 : 1, c);
  return text + "'";
}

}  // namespace

std::string rknn_text(const ValueRanges& ranges) {
  std::string text = "custom_quantize_layers: {}\nquantize_parameters:\n";
  for (const ValueRange& value : ranges.values) {
    text +=
        fmt::format("    {}:\n        qtype: asym\n        qmethod: layer\n        dtype: int8\n",
                    quoted(value.name));
    const auto add = [&](std::string_view key, const std::string& number) {
      text += fmt::format("        {}:\n        -   {}\n", key, number);
    };
    // With a point also before an exponent: without, YAML takes it for a text.
    const auto real = [](double number) { return fmt::format("{:#.9g}", number); };
    add("min", real(value.lo())), add("max", real(value.hi()));
    add("scale", real(value.params.scale.front()));
    add("zero_point", std::to_string(value.signed_zero_point()));
    add("ori_min", real(value.lo())), add("ori_max", real(value.hi()));
  }
  return text;
}

}  // namespace intaglio
