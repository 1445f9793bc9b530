// AffineGrid (opset 20): where each point of an image of `size`, in [-1, 1], lies under an affine
// map; coordinates are x, y and then z.
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// The coordinate of place i of n: between the outermost centres, or between the outermost edges.
double coordinate(std::int64_t i, std::int64_t n, bool align_corners) {
  const auto at = static_cast<double>(i), count = static_cast<double>(n);
  if (!align_corners) return (2 * at + 1) / count - 1;
  return n == 1 ? 0 : 2 * at / (count - 1) - 1;
}

template <typename T>
Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners) {
  const std::size_t axes = size.size() - 2;
  Shape shape(size.begin() + 2, size.end());
  shape.insert(shape.begin(), size[0]);
  shape.push_back(static_cast<std::int64_t>(axes));
  Tensor grid(dtype_of<T>(), shape);
  T* out = grid.mutate<T>().data();
  const T* rows = theta.data<T>().data();
  const Shape strides = strides_of(std::span(shape).subspan(1, axes));
  const std::int64_t points = product(size, 2, size.size());
  for (std::int64_t n = 0; n < size[0]; ++n, rows += axes * (axes + 1))
    for (std::int64_t p = 0; p < points; ++p)
      for (std::size_t r = 0; r < axes; ++r) {
        double sum = static_cast<double>(rows[r * (axes + 1) + axes]);
        for (std::size_t k = 0; k < axes; ++k) {
          const std::size_t axis = axes - 1 - k;  // x runs along the last axis
          const std::int64_t at = p / strides[axis] % size[2 + axis];
          sum += static_cast<double>(rows[r * (axes + 1) + k]) *
                 coordinate(at, size[2 + axis], align_corners);
        }
        *out++ = static_cast<T>(sum);
      }
  return grid;
}

std::unique_ptr<Kernel> make_affine_grid(const Node& node) {
  return make_kernel([align = node.attr_int("align_corners", 0) != 0](KernelContext& c) {
    const Tensor& theta = c.input(0);
    const Shape size = c.input(1).to_vector<std::int64_t>();
    const auto axes = static_cast<std::int64_t>(size.size()) - 2;
    if ((axes != 2 && axes != 3) || theta.shape() != Shape{size[0], axes, axes + 1})
      throw Error(Code::model, "theta of shape " + to_string(theta.shape()) +
                                   " does not fit the size " + to_string(size));
    element_count(size);  // throws for lengths that make no sense
    visit_precision(theta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      set_float_output(c, 0, affine_grid<T>(as_precise<T>(theta), size, align), theta.dtype());
    });
  });
}

// size: [N, C, H, W] or [N, C, D, H, W]; the result has the places in front of the coordinates.
void infer_affine_grid(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto size = c.numbers(1);
  if (!size || size->size() < 3) return;
  Dims dims = dims_of(*size);
  dims.erase(dims.begin() + 1);
  dims.push_back(dim_of(std::ssize(*size) - 2));
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_affine_grid(Registry& registry) {
  registry.add(
      {.op = "AffineGrid", .since = 20, .make = make_affine_grid, .infer = infer_affine_grid});
}

}  // namespace intaglio
