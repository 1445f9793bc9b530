// Normalization that nothing in front of it could take up: a factor and a shift per channel, in
// float.
#include <cmath>

#include "lib/tflite/op_table.h"

namespace intaglio::tflite {
namespace {

// y = factor * x + shift.
struct Affine {
  std::vector<float> factor, shift;
};

Affine affine_of(const Site& site) {
  const auto scale = site.needed_constant(1, "scales").to_vector<float>();
  const auto bias = site.needed_constant(2, "biases").to_vector<float>();
  const auto mean = site.needed_constant(3, "means").to_vector<float>();
  const auto variance = site.needed_constant(4, "variances").to_vector<float>();
  const double epsilon = site.node().attr_float("epsilon", 1e-5F);
  Affine affine;
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    affine.factor.push_back(static_cast<float>(factor));
    affine.shift.push_back(static_cast<float>(bias[c] - mean[c] * factor));
  }
  return affine;
}

}  // namespace

void lower_batch_normalization(Site& site) {
  if (site.node().attr_int("training_mode", 0) != 0)
    site.refuse("it is in training mode", "Export the model for inference.");
  const Perm perm = site.in_order_of(0);
  const Affine affine = affine_of(site);
  Shape channels(perm.size(), 1);
  channels[stored_axis(perm, 1)] = static_cast<std::int64_t>(affine.factor.size());
  FileBuilder& file = site.emitter().file();
  const int factor = file.add_constant("factor", Tensor::of<float>(channels, affine.factor));
  const int shift = file.add_constant("shift", Tensor::of<float>(channels, affine.shift));
  const int in = site.in(0, perm), out = site.out(0, perm);
  const int scaled = site.emitter().like(out, file.spec(out).shape, "_scaled");
  site.emit(fb::Op::MUL, {in, factor}, {scaled}, fb::MulOptionsT());
  site.emit(fb::Op::ADD, {scaled, shift}, {out}, fb::AddOptionsT());
}

}  // namespace intaglio::tflite
