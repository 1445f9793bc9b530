// MelWeightMatrix (opset 17): triangles, evenly spaced on the mel scale, over the bins of a
// spectrum.
#include <cmath>
#include <vector>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct MelOptions {
  std::int64_t bands, length, rate;
  double lower, upper;  // Hz
};

// The bins at which triangles begin, peak and end: band i has entries i, i + 1 and i + 2.
std::vector<std::int64_t> mel_bins(const MelOptions& o, std::int64_t bins) {
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double step = (mel(o.upper) - mel(o.lower)) / static_cast<double>(o.bands + 2);
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < o.bands + 2; ++i) {
    const double at = mel(o.lower) + static_cast<double>(i) * step;
    const double hertz = 700 * (std::pow(10.0, at / 2595) - 1);
    const double bin =
        std::floor(static_cast<double>(o.length + 1) * hertz / static_cast<double>(o.rate));
    if (!(bin >= 0 && bin < static_cast<double>(bins)))
      throw Error(Code::model, "a band lies outside of the spectrum",
                  "Check the edges in Hz and the sample rate.");
    result.push_back(static_cast<std::int64_t>(bin));
  }
  return result;
}

Tensor mel_weights(const MelOptions& o) {
  const std::int64_t bins = o.length / 2 + 1;
  Tensor result(DType::f64, {bins, o.bands});
  const auto weights = result.mutate<double>();
  std::fill(weights.begin(), weights.end(), 0.0);
  const auto edges = mel_bins(o, bins);
  for (std::int64_t i = 0; i < o.bands; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const std::int64_t low = edges[k], peak = edges[k + 1], high = edges[k + 2];
    const auto at = [&](std::int64_t j) -> double& {
      return weights[static_cast<std::size_t>(j * o.bands + i)];
    };
    if (low == peak) at(peak) = 1;
    for (std::int64_t j = low; j <= peak && low < peak; ++j)
      at(j) = static_cast<double>(j - low) / static_cast<double>(peak - low);
    for (std::int64_t j = peak; j < high; ++j)
      at(j) = static_cast<double>(high - j) / static_cast<double>(high - peak);
  }
  return result;
}

std::unique_ptr<Kernel> make_mel_weight_matrix(const Node& node) {
  return make_kernel([type = static_cast<DType>(node.attr_int("output_datatype", 1))](
                         KernelContext& c) {
    const auto integer = [&](std::size_t i) { return c.input(i).to_vector<std::int64_t>().at(0); };
    const auto number = [&](std::size_t i) { return c.input(i).to_vector<double>().at(0); };
    for (std::size_t i = 0; i < 5; ++i)
      if (c.input(i).size() != 1) throw Error(Code::model, "the inputs must be scalars");
    const MelOptions options{integer(0), integer(1), integer(2), number(3), number(4)};
    if (options.bands < 0 || options.length < 1 || options.rate < 1 || options.bands > 1 << 24 ||
        options.length > 1 << 30)
      throw Error(Code::model, "the numbers of bands and bins or the sample rate make no sense");
    c.set_output(0, convert(mel_weights(options), type));
  });
}

void infer_mel_weight_matrix(RuleContext& c) {
  const auto bands = c.ints(0), length = c.ints(1);
  const bool known = length && !length->empty();
  c.set(0, static_cast<DType>(c.node().attr_int("output_datatype", 1)),
        Dims{known ? dim_of(length->front() / 2 + 1) : Dim{},
             bands && !bands->empty() ? dim_of(bands->front()) : Dim{}});
}

}  // namespace

void register_mel_weight_matrix(Registry& registry) {
  registry.add({.op = "MelWeightMatrix",
                .since = 17,
                .make = make_mel_weight_matrix,
                .infer = infer_mel_weight_matrix});
}

}  // namespace intaglio
