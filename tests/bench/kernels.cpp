// The kernels that most time is spent in, on shapes of usual networks. Counters: floating-point
// operations, or values, per second.
//
//   cmake --build --preset release --target kernels && build/release/tests/kernels
#include <benchmark/benchmark.h>

#include "lib/exec/vector/depthwise.h"
#include "lib/exec/vector/product.h"
#include "lib/exec/vector/winograd.h"

namespace intaglio {
namespace {

Tensor some(Shape shape) {
  Tensor t(DType::f32, std::move(shape));
  float v = 0;
  for (float& x : t.mutate<float>()) x = (v += 0.37f) > 1 ? v -= 2 : v;
  return t;
}

Window window(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t pad = kernel / 2, output = (size + 2 * pad - kernel) / stride + 1;
  return {{size, size}, {kernel, kernel}, {stride, stride}, {1, 1},
          {pad, pad},   {pad, pad},       {output, output}};
}

void count_operations(benchmark::State& state, std::int64_t multiplications) {
  state.counters["FLOP/s"] = benchmark::Counter(2 * static_cast<double>(multiplications),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

// rows, depth, columns: a pointwise convolution.
void product_of_rows(benchmark::State& state) {
  const std::int64_t rows = state.range(0), depth = state.range(1), columns = state.range(2),
                     start = 0;
  const Tensor w = some({depth, columns}), x = some({rows, depth});
  const Product product({w.data<float>().data(), depth, columns, columns, 1}, {}, {});
  Tensor y(DType::f32, {rows, columns});
  float* out = y.mutate<float>().data();
  for (auto _ : state)
    product.run({x.data<float>().data(), depth, {&start, 1}, depth}, rows, {}, out, columns);
  count_operations(state, rows * depth * columns);
}
BENCHMARK(product_of_rows)
    ->Args({12544, 16, 96})
    ->Args({3136, 24, 144})
    ->Args({784, 192, 32})
    ->Args({196, 384, 96})
    ->Args({49, 960, 160})
    ->Args({1, 1280, 1000});

// size, channels, filters. Operations are those of the plain sum.
void minimal_filtering(benchmark::State& state) {
  const std::int64_t size = state.range(0), channels = state.range(1), filters = state.range(2);
  const Winograd winograd(some({filters, channels, 3, 3}), {}, {});
  const Tensor x = some({size, size, channels});
  Tensor y(DType::f32, {size, size, filters});
  const Window w = window(size, 3, 1);
  float* out = y.mutate<float>().data();
  for (auto _ : state) winograd.run(x.data<float>().data(), w, {}, out, filters);
  count_operations(state, 9 * channels * filters * size * size);
}
BENCHMARK(minimal_filtering)
    ->Args({208, 12, 16})
    ->Args({112, 16, 32})
    ->Args({56, 16, 128})
    ->Args({28, 32, 256})
    ->Args({14, 64, 512});

// size, channels, kernel, stride.
void depthwise(benchmark::State& state) {
  const std::int64_t size = state.range(0), channels = state.range(1), kernel = state.range(2);
  const Depthwise kernels(some({channels, 1, kernel, kernel}), {}, {});
  const Tensor x = some({size, size, channels});
  const Window w = window(size, kernel, state.range(3));
  Tensor y(DType::f32, {w.output[0], w.output[1], channels});
  float* out = y.mutate<float>().data();
  for (auto _ : state) kernels.run(x.data<float>().data(), w, {}, out);
  count_operations(state, kernel * kernel * y.size());
}
BENCHMARK(depthwise)
    ->Args({112, 32, 3, 1})
    ->Args({112, 96, 3, 2})
    ->Args({14, 384, 3, 1})
    ->Args({36, 96, 5, 1})
    ->Args({36, 96, 7, 1})
    ->Args({7, 960, 3, 1});

// The kind of PostOp, on 4096 values.
void activation(benchmark::State& state) {
  const PostOp op{static_cast<PostOp::Kind>(state.range(0)), 0, 6};
  const Tensor x = some({4096});
  Tensor y = some({4096});
  float* out = y.mutate<float>().data();
  for (auto _ : state) {
    std::ranges::copy(x.data<float>(), out);
    apply({&op, 1}, out, 4096, nullptr);
  }
  state.SetLabel(std::string(name_of(op.kind)));
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(activation)->DenseRange(0, static_cast<int>(PostOp::Kind::erf));

}  // namespace
}  // namespace intaglio

BENCHMARK_MAIN();
