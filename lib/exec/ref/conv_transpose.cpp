// ConvTranspose (opset 1, 11, 22): every input element adds its filter, scaled, to the output. The
// scaled filters come from one matrix product per group; the geometry is that of a window on the
// output.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/ops/conv_transpose.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/gemm.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// image[x * stride + shift] += values[x] wherever that is inside, for one tap of one filter.
void scatter(const Window& w, const Shape& tap, const float* values, float* image) {
  const std::size_t last = w.rank() - 1;
  const std::int64_t stride = w.strides[last], width = w.output[last], length = w.input[last];
  const std::int64_t shift = tap[last] * w.dilations[last] - w.begin[last];
  const std::int64_t lo = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const std::int64_t hi =
      length > shift ? std::min(width, (length - shift + stride - 1) / stride) : 0;
  Shape at(last, 0);
  do {
    std::int64_t row = 0;
    bool inside = true;
    for (std::size_t a = 0; a < last; ++a) {
      const std::int64_t p = at[a] * w.strides[a] + tap[a] * w.dilations[a] - w.begin[a];
      inside = inside && p >= 0 && p < w.input[a];
      row = row * w.input[a] + p;
    }
    if (inside)
      for (std::int64_t x = lo; x < hi; ++x) image[row * length + x * stride + shift] += values[x];
    values += width;
  } while (next_position(at, std::span(w.output).first(last)));
}

// filters: one group, [C/group, M/group, kernel...]; image: [C/group, ...]; out: [M/group, ...]
void add_group(const Window& w, const Tensor& filters, const float* weights, const float* image,
               std::int64_t channels, float* out) {
  const std::int64_t outputs = filters.dim(1), taps = element_count(w.kernel);
  const std::int64_t pixels = element_count(w.output), rows = outputs * taps;
  Tensor scaled(DType::f32, {rows, pixels});
  gemm(PackedLeft({weights, rows, channels, 1, rows}),
       PackedRight({image, channels, pixels, pixels, 1}),
       {.c = scaled.mutate<float>().data(), .ldc = pixels});
  const float* values = scaled.data<float>().data();
  for (std::int64_t m = 0; m < outputs; ++m, out += element_count(w.input)) {
    Shape tap(w.rank(), 0);
    do {
      scatter(w, tap, values, out);
      values += pixels;
    } while (next_position(tap, w.kernel));
  }
}

Tensor conv_transpose(const ConvTransposeAttrs& attrs, const Tensor& x, const Tensor& filters,
                      const Tensor& bias) {
  const Window w = place_transposed(attrs, x.shape(), filters.shape());
  const std::int64_t channels = x.dim(1) / attrs.group, outputs = filters.dim(1) * attrs.group;
  if (bias.defined() && bias.shape() != Shape{outputs})
    throw Error(Code::model, fmt::format("a bias of shape {} does not fit {} filters",
                                         to_string(bias.shape()), outputs));
  Shape shape{x.dim(0), outputs};
  shape.insert(shape.end(), w.input.begin(), w.input.end());
  Tensor y(DType::f32, shape);
  if (y.size() == 0) return y;
  float* out = y.mutate<float>().data();
  const std::int64_t area = element_count(w.input), in = channels * element_count(w.output);
  const std::int64_t weights = channels * filters.dim(1) * element_count(w.kernel);
  for (std::int64_t i = 0; i < x.dim(0) * outputs; ++i)
    std::fill_n(out + i * area, area,
                bias.defined() ? bias.data<float>()[static_cast<std::size_t>(i % outputs)] : 0.0f);
  if (x.size() == 0) return y;
  for (std::int64_t part = 0; part < x.dim(0) * attrs.group; ++part)
    add_group(w, filters, filters.data<float>().data() + part % attrs.group * weights,
              x.data<float>().data() + part * in, channels, out + part * filters.dim(1) * area);
  return y;
}

std::unique_ptr<Kernel> make_conv_transpose(const Node& node) {
  return make_kernel([attrs = read_conv_transpose(node)](KernelContext& context) {
    const Tensor bias = context.optional(2) != nullptr ? as_float(*context.optional(2)) : Tensor();
    set_float_output(
        context, 0,
        conv_transpose(attrs, as_float(context.input(0)), as_float(context.input(1)), bias),
        context.input(0).dtype());
  });
}

// An axis that is not known keeps its name where its length does not change, which a length that is
// large enough shows.
void infer_conv_transpose(RuleContext& c) {
  constexpr std::int64_t probe = (std::int64_t{1} << 31) - 1;
  c.set(0, c.dtype(0));
  if (!c.dims(0) && !c.dims(1)) return;
  Dims dims(c.dims(0) ? c.dims(0)->size() : c.dims(1)->size());
  const ConvTransposeAttrs attrs = read_conv_transpose(c.node());
  if (c.dims(0)) dims.at(0) = c.dims(0)->at(0);
  if (c.dims(1)) dims.at(1) = times(c.dims(1)->at(1), attrs.group);
  c.set(0, c.dtype(0), dims);
  if (!c.dims(0)) return;
  const auto known = [&](const Dims& of) {
    Shape shape;
    for (const Dim& d : of) shape.push_back(d.known() ? d.value : probe);
    return shape;
  };
  Shape x = known(*c.dims(0)), filters(x.size(), 1);
  if (c.dims(1)) filters = known(*c.dims(1));
  if (!attrs.window.kernel.empty()) filters.resize(2);
  filters.insert(filters.end(), attrs.window.kernel.begin(), attrs.window.kernel.end());
  x.at(1) = filters.at(0) = attrs.group;  // channels do not matter
  const Window w = place_transposed(attrs, x, filters);
  for (std::size_t a = 0; a < w.rank(); ++a) {
    const Dim& from = (*c.dims(0))[2 + a];
    const bool fixed = from.known() || !attrs.output_shape.empty();
    const bool taps = !attrs.window.kernel.empty() || (c.dims(1) && c.dims(1)->at(2 + a).known());
    if (taps && (fixed || w.input[a] == probe)) dims[2 + a] = fixed ? dim_of(w.input[a]) : from;
  }
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_conv_transpose(Registry& registry) {
  registry.add({.op = "ConvTranspose", .make = make_conv_transpose, .infer = infer_conv_transpose});
}

}  // namespace intaglio
