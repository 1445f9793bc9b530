// Error-compensating rounding: the codes of a layer's weights, chosen one after the other so that
// each makes up for the errors of those before it.
//
// Rounding every weight to the nearest code makes |q s - w| small. What matters is the layer's
// result, |X (q s - w)|, X being the patches of its (quantized) input. With the second moments
//   H = X'X + damping,  H = U'U,  U upper triangular,
// the error of the result, for errors e of the weights, is
//   |X e|^2 = sum_i (U_ii (e_i + sum_{j>i} U_ij / U_ii e_j))^2,
// so that, from the last weight to the first,
//   q_i = clamp(round((w_i - sum_{j>i} U_ij / U_ii (q_j s - w_j)) / s))
// takes away as much of each term as one code can. Weights are ordered by H_ii, the largest last:
// those that matter most are rounded first, when nothing has to be made up for yet.
//
// (Babai's nearest plane for the lattice of codes; Frantar et al., "GPTQ", 2023, and "Optimal Brain
// Compression", 2022, come to the same sequence from the inverse of H.)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/refine/patches.h"
#include "lib/quant/scheme.h"

namespace intaglio {

// A symmetric matrix, row by row.
struct SecondMoments {
  std::size_t width = 0;
  std::vector<double> values;  // width * width
  double& at(std::size_t i, std::size_t j) { return values[i * width + j]; }
  double at(std::size_t i, std::size_t j) const { return values[i * width + j]; }
};

// Sums up X'X over patches that come in parts. Does not depend on threads.
class MomentSums {
 public:
  explicit MomentSums(std::size_t width)
      : sums_{width, std::vector<double>(width * width)}, means_(width) {}
  void add(const Patches& patches, std::size_t threads);
  // As if the mean patch had been taken away from each: it is what bias correction takes care of.
  SecondMoments centred() &&;

 private:
  SecondMoments sums_;
  std::vector<double> means_;  // times rows_
  std::size_t rows_ = 0;
};

// Which weights are rounded first: those that matter most, or the last one as they are stored.
enum class RoundingOrder { by_moment, as_stored };

// H = U'U, in the order that rounding takes.
class Factor {
 public:
  // Adds 0.01 of the mean of the diagonal to it, so that H is never singular, however few patches
  // there were. H of zeros becomes the identity: every code is then the nearest one.
  Factor(SecondMoments moments, std::size_t threads,
         RoundingOrder order = RoundingOrder::by_moment);

  std::size_t width() const { return order_.size(); }
  const std::vector<std::size_t>& order() const { return order_; }
  // U_ij / U_ii for j > i, in this order.
  const float* row(std::size_t i) const { return rows_.data() + i * width(); }
  double weight(std::size_t i) const { return weights_[i]; }  // U_ii^2

 private:
  std::vector<std::size_t> order_;
  std::vector<float> rows_;
  std::vector<double> weights_;
};

// One output's weights and the quantizer that they share.
struct RoundedRow {
  std::span<const float> weights;  // as wide as the factor
  float scale = 1;
  std::int32_t zero_point = 0;
};

struct RoundedCodes {
  std::vector<std::int32_t> codes;  // by weight
  double nearest = 0, error = 0;    // |X e|^2 with the nearest codes, and with these: never more
};

RoundedCodes round_row(const Factor& factor, const RoundedRow& row, const Levels& levels);

}  // namespace intaglio
