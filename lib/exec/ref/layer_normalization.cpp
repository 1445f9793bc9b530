// LayerNormalization (opset 17; onnxruntime takes it in earlier ones too) and RMSNormalization
// (opset 23): normalize over the axes from `axis` on, then scale and shift by element. Mean and
// InvStdDev, when wanted, are f32 (stash_type 1).
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/layer_norm.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <bool centered>
std::unique_ptr<Kernel> make_normalization(const Node& node) {
  const LayerNorm options{static_cast<double>(node.attr_float("epsilon", 1e-5f)), centered};
  return make_kernel([options, axis = node.attr_int("axis", -1)](KernelContext& c) {
    const Tensor x = as_float(c.input(0));
    const Tensor bias = c.optional(2) != nullptr ? as_float(*c.optional(2)) : Tensor();
    LayerNormResult r =
        normalize_layers(x, normalized_axis(axis, x.rank()), as_float(c.input(1)), bias, options);
    set_float_output(c, 0, std::move(r.y), c.input(0).dtype());
    if (c.output_count() > 1) c.set_output(1, std::move(r.means));
    if (c.output_count() > 2) c.set_output(2, std::move(r.inverses));
  });
}

// The means and the inverse deviations have the type that they are computed in.
void infer_layer_normalization(RuleContext& c) {
  rules::like(c);
  const auto type = static_cast<DType>(c.node().attr_int("stash_type", 1));
  std::optional<Dims> dims = c.dims(0);
  for (std::size_t i = dims ? axis_of(c.node().attr_int("axis", -1), *dims) : 0;
       dims && i < dims->size(); ++i)
    (*dims)[i] = dim_of(1);
  for (std::size_t i = 1; i < c.result_count(); ++i) c.set(i, type, dims);
}

}  // namespace

void register_layer_normalization(Registry& registry) {
  registry.add({.op = "LayerNormalization",
                .make = make_normalization<true>,
                .infer = infer_layer_normalization});
  registry.add({.op = "RMSNormalization",
                .since = 23,
                .make = make_normalization<false>,
                .infer = infer_layer_normalization});
}

}  // namespace intaglio
