// What is to be quantized and how.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "apps/pipeline/form.h"
#include "calibration/ranges/select.h"
#include "lib/quant/draft.h"
#include "lib/quant/target.h"

namespace intaglio {

// Types that codes may have, and weights beside them.
inline constexpr std::array<Word<DType>, 4> code_types = {
    {{"u8", DType::u8}, {"s8", DType::s8}, {"u16", DType::u16}, {"s16", DType::s16}}};
inline constexpr std::array<Word<DType>, 10> weight_types = {{{"u8", DType::u8},
                                                              {"s8", DType::s8},
                                                              {"u16", DType::u16},
                                                              {"s16", DType::s16},
                                                              {"u4", DType::u4},
                                                              {"s4", DType::s4},
                                                              {"u2", DType::u2},
                                                              {"s2", DType::s2},
                                                              {"fp16", DType::f16},
                                                              {"bf16", DType::bf16}}};
// Those that weights may have in groups; float: they stay as they are.
inline constexpr std::array<Word<DType>, 7> grouped_types = {{{"u4", DType::u4},
                                                              {"s4", DType::s4},
                                                              {"u2", DType::u2},
                                                              {"s2", DType::s2},
                                                              {"u8", DType::u8},
                                                              {"s8", DType::s8},
                                                              {"float", DType::undefined}}};

struct QuantOptions {
  std::string target;  // empty: that of the form
  FormOptions form;
  // nullopt: the target's
  std::optional<DType> weights, activations;
  std::optional<Granularity> granularity;
  bool symmetric = false, reduce_range = false;
  bool never_zero = false;            // no zero point is that of symmetric codes
  std::optional<std::int64_t> group;  // weights that share a scale; nullopt: the form's
  std::optional<Range> input_range;   // of all float inputs; nullopt: what is observed
  std::optional<std::int64_t> opset;  // of the result, at least; nullopt: what the target wants
  std::string weight_method{best_weight_method};
  NonFinite nonfinite = NonFinite::ignore;
  Selection selection;
};
// The name or file of the target.
std::string target_name(const QuantOptions& options);

// The target with every override, as a draft sees it. Throws Code::usage for options that
// contradict each other.
Target effective_target(const QuantOptions& options);

// Whether weights come in groups that share a scale.
bool has_groups(const QuantOptions& options);

// "REGEX=u8"; throws Code::usage.
WeightTypeRule parse_weight_type_rule(std::string_view text);

// "-1,1"; throws Code::usage.
Range parse_range(std::string_view text);

// For one of the methods.
SelectOptions select_options(const QuantOptions& options, const Target& target, Method method,
                             std::size_t threads);

// "minmax, percentile, mse, entropy"
std::string known_methods();

}  // namespace intaglio
