// STFT (opset 17): Fourier transforms of frames of a signal, each multiplied by a window.
#include <fmt/format.h>

#include "lib/exec/ops/fourier.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct Frames {
  std::int64_t length = 0, step = 0, count = 0;
  std::vector<double> window;  // one factor per place of a frame
};

Frames read_frames(const KernelContext& c, std::int64_t signal) {
  Frames frames;
  frames.step = c.input(1).item<std::int64_t>();
  if (c.optional(2) != nullptr) frames.window = c.optional(2)->to_vector<double>();
  frames.length = c.optional(2) != nullptr ? c.optional(2)->size() : signal;
  if (c.optional(3) != nullptr) frames.length = c.optional(3)->item<std::int64_t>();
  if (c.optional(2) == nullptr && frames.length > 0 && frames.length <= signal)
    frames.window.resize(static_cast<std::size_t>(frames.length), 1.0);
  if (frames.step < 1 || frames.length < 1 || frames.length > signal ||
      static_cast<std::int64_t>(frames.window.size()) != frames.length)
    throw Error(Code::model, fmt::format("frames of {} every {} of {}, a window of {}",
                                         frames.length, frames.step, signal, frames.window.size()));
  frames.count = 1 + (signal - frames.length) / frames.step;
  return frames;
}

std::unique_ptr<Kernel> make_stft(const Node& node) {
  return make_kernel([onesided = node.attr_int("onesided", 1) != 0](KernelContext& c) {
    Tensor x = as_precise<double>(c.input(0));
    if (x.rank() == 2) x = x.reshaped({x.dim(0), x.dim(1), 1});
    if (x.rank() != 3 || x.dim(2) < 1 || x.dim(2) > 2)
      throw Error(Code::model, "a signal of shape " + to_string(x.shape()));
    const std::int64_t parts = x.dim(2);
    const Frames frames = read_frames(c, x.dim(1));
    const std::int64_t bins = onesided ? frames.length / 2 + 1 : frames.length;
    Tensor result(DType::f64, {x.dim(0), frames.count, bins, 2});
    double* out = result.mutate<double>().data();
    std::vector<std::complex<double>> frame(frames.window.size());
    const std::int64_t signals = result.size() == 0 ? 0 : x.dim(0);
    for (std::int64_t b = 0; b < signals; ++b)
      for (std::int64_t f = 0; f < frames.count; ++f) {
        const double* in = x.data<double>().data() + (b * x.dim(1) + f * frames.step) * parts;
        for (std::size_t i = 0; i < frame.size(); ++i, in += parts)
          frame[i] = std::complex(in[0], parts == 2 ? in[1] : 0.0) * frames.window[i];
        const auto spectrum = fourier(frame);
        for (std::int64_t k = 0; k < bins; ++k) {
          *out++ = spectrum[static_cast<std::size_t>(k)].real();
          *out++ = spectrum[static_cast<std::size_t>(k)].imag();
        }
      }
    set_float_output(c, 0, std::move(result), c.input(0).dtype());
  });
}

void infer_stft(RuleContext& c) {
  c.set(0, c.dtype(0), Dims(4));
  if (!c.dims(0) || c.dims(0)->empty()) return;
  const auto step = c.ints(1), given = c.ints(3);
  const Dim signal = c.dims(0)->size() > 1 ? (*c.dims(0))[1] : Dim{};
  Dim length = c.has(2) ? (c.dims(2) ? c.dims(2)->at(0) : Dim{}) : signal;
  if (c.has(3)) length = given && !given->empty() ? dim_of(given->front()) : Dim{};
  Dim frames, bins = length;
  if (step && !step->empty() && step->front() > 0 && signal.known() && length.known())
    frames = dim_of(1 + (signal.value - length.value) / step->front());
  if (c.node().attr_int("onesided", 1) != 0)
    bins = length.known() ? dim_of(length.value / 2 + 1) : Dim{};
  c.set(0, c.dtype(0), Dims{c.dims(0)->front(), frames, bins, dim_of(2)});
}

}  // namespace

void register_stft(Registry& registry) {
  registry.add({.op = "STFT", .since = 17, .make = make_stft, .infer = infer_stft});
}

}  // namespace intaglio
