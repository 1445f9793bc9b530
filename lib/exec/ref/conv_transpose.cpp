// ConvTranspose (opset 1, 11, 22): every input element adds its filter, scaled, to the output. The
// scaled filters come from one matrix product per group; the geometry is that of a window on the
// output.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/float_io.h"
#include "lib/exec/gemm.h"
#include "lib/exec/registry.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

struct Attrs {
  WindowAttrs window;
  Shape output_padding, output_shape;
  std::int64_t group;
};

// The window that reads the output of this operator where its input is written: input and output of
// the window are exchanged.
Window place(const Attrs& attrs, const Shape& x, const Shape& filters) {
  if (x.size() != filters.size() || x.size() < 3 || x[1] != filters[0] || attrs.group < 1 ||
      x[1] % attrs.group != 0)
    throw Error(Code::model,
                fmt::format("filters of shape {} in {} groups do not fit an input of shape {}",
                            to_string(filters), attrs.group, to_string(x)));
  const std::size_t rank = x.size() - 2;
  const WindowAttrs& from = attrs.window;
  Window w;
  w.output.assign(x.begin() + 2, x.end());
  w.kernel.assign(filters.begin() + 2, filters.end());
  if (!from.kernel.empty() && from.kernel != w.kernel)
    throw Error(Code::model, fmt::format("kernel_shape {} contradicts filters of shape {}",
                                         to_string(from.kernel), to_string(filters)));
  w.strides = window_list(from.strides, rank, 1, 1, "strides");
  w.dilations = window_list(from.dilations, rank, 1, 1, "dilations");
  const Shape pads = window_list(from.pads, 2 * rank, 0, 0, "pads");
  const Shape extra = window_list(attrs.output_padding, rank, 0, 0, "output_padding");
  Shape wanted = attrs.output_shape;
  if (wanted.size() == rank + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty()) wanted = window_list(wanted, rank, 0, 0, "output_shape");
  w.input.resize(rank);
  w.begin.resize(rank);
  w.end.resize(rank);
  for (std::size_t a = 0; a < rank; ++a) {
    if (w.kernel[a] < 1)
      throw Error(Code::model, fmt::format("filters of shape {} are empty", to_string(filters)));
    const std::int64_t whole = (w.output[a] - 1) * w.strides[a] + extra[a] + w.extent(a);
    if (wanted.empty() && !from.auto_pad.starts_with("SAME")) {
      w.begin[a] = from.auto_pad == "VALID" ? 0 : pads[a];
      w.end[a] = from.auto_pad == "VALID" ? 0 : pads[rank + a];
      w.input[a] = whole - w.begin[a] - w.end[a];
    } else {
      w.input[a] = wanted.empty() ? w.output[a] * w.strides[a] : wanted[a];
      const std::int64_t total = std::max<std::int64_t>(0, whole - w.input[a]);
      w.begin[a] = from.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.end[a] = total - w.begin[a];
    }
  }
  return w;
}

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

Tensor conv_transpose(const Attrs& attrs, const Tensor& x, const Tensor& filters,
                      const Tensor& bias) {
  const Window w = place(attrs, x.shape(), filters.shape());
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
  return make_kernel([attrs = Attrs{read_window(node), node.attr_ints("output_padding"),
                                    node.attr_ints("output_shape"),
                                    node.attr_int("group", 1)}](KernelContext& context) {
    const Tensor bias = context.optional(2) != nullptr ? as_float(*context.optional(2)) : Tensor();
    set_float_output(
        context, 0,
        conv_transpose(attrs, as_float(context.input(0)), as_float(context.input(1)), bias),
        context.input(0).dtype());
  });
}

}  // namespace

void register_conv_transpose(Registry& registry) {
  registry.add({.op = "ConvTranspose", .make = make_conv_transpose});
}

}  // namespace intaglio
