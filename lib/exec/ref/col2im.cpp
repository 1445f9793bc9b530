// Col2Im (opset 18): adds up blocks that lie over an image as the windows of a convolution do.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

// Adds one channel: x holds, for each element of the block, one value per position of the window.
template <typename T>
void add_blocks(const T* x, const Window& window, T* image) {
  const Shape strides = strides_of(window.input);
  Shape tap(window.rank(), 0);
  do {
    Shape position(window.rank(), 0);
    do {
      std::int64_t at = 0;
      bool inside = true;
      for (std::size_t a = 0; a < window.rank(); ++a) {
        const std::int64_t i =
            position[a] * window.strides[a] + tap[a] * window.dilations[a] - window.begin[a];
        inside = inside && i >= 0 && i < window.input[a];
        at += i * strides[a];
      }
      if (inside) image[at] = static_cast<T>(image[at] + *x);
      ++x;
    } while (next_position(position, window.output));
  } while (next_position(tap, window.kernel));
}

template <typename T>
Tensor col2im(const Tensor& x, const Window& window) {
  const std::int64_t block = element_count(window.kernel), positions = element_count(window.output);
  if (block == 0 || x.dim(1) % block != 0 || x.dim(2) != positions)
    throw Error(Code::model, fmt::format("columns of shape {} do not fit blocks of {} elements at "
                                         "{} positions",
                                         to_string(x.shape()), block, positions));
  Shape shape = {x.dim(0), x.dim(1) / block};
  shape.insert(shape.end(), window.input.begin(), window.input.end());
  Tensor result(dtype_of<T>(), shape);
  std::fill_n(result.mutate<T>().begin(), result.size(), T{});
  const std::int64_t pixels = element_count(window.input);
  for (std::int64_t i = 0; positions > 0 && i < shape[0] * shape[1]; ++i)
    add_blocks(x.data<T>().data() + i * block * positions, window,
               result.mutate<T>().data() + i * pixels);
  return result;
}

std::unique_ptr<Kernel> make_col2im(const Node& node) {
  return make_kernel([attrs = read_window(node)](KernelContext& c) {
    const Tensor& x = c.input(0);
    require_rank(x, 3, "input");
    const Window window = place_window(attrs, c.input(1).to_vector<std::int64_t>(),
                                       c.input(2).to_vector<std::int64_t>());
    if (is_float(x.dtype())) {
      visit_precision(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        set_float_output(c, 0, col2im<T>(as_precise<T>(x), window), x.dtype());
      });
    } else {
      visit_integer(x.dtype(),
                    [&](auto zero) { c.set_output(0, col2im<decltype(zero)>(x, window)); });
    }
  });
}

void infer_col2im(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto image = c.numbers(1), block = c.numbers(2);
  if (!image) return;
  Dims dims = dims_of(*image);
  const bool known = c.dims(0) && c.dims(0)->size() == 3;
  const Dims area = block ? dims_of(*block) : Dims(1);
  const Dim elements = product(area, 0, area.size());
  dims.insert(dims.begin(),
              known && elements.known() ? divided((*c.dims(0))[1], elements.value) : Dim{});
  dims.insert(dims.begin(), known ? c.dims(0)->front() : Dim{});
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_col2im(Registry& registry) {
  registry.add({.op = "Col2Im", .since = 18, .make = make_col2im, .infer = infer_col2im});
}

}  // namespace intaglio
