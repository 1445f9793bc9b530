// What RNN, GRU and LSTM share: directions, sequence lengths, both layouts, and the two matrix
// products of a step (onnx/Operators.md, LSTM). The cells differ in what they do with the gates.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/ops/gemm.h"

namespace intaglio {

// An activation with its alpha and beta, by ONNX's name (any case). Code::model for others.
using Activation = std::function<float(float)>;

// One sample at one step. Gates come in the order of the operator, `hidden` values each.
struct CellStep {
  std::int64_t hidden;
  const float* input;      // x W^T + Wb
  const float* recurrent;  // h R^T + Rb
  float* h;                // state; updated by the cell
  float* c;                // cell state; LSTM only
};

// The weights of one direction, for cells that need more than the products above.
struct CellWeights {
  std::vector<Activation> f;  // those of the gates clipped as the node asks for
  const float* r = nullptr;   // [gates * hidden, hidden]
  const float* recurrent_bias = nullptr;
  const float* peepholes = nullptr;  // LSTM: [3 * hidden], or null
};
using Cell = std::function<void(const CellStep&)>;
using MakeCell = std::function<Cell(const CellWeights&, std::int64_t hidden)>;

// Some rows [count, n] times the weights of one direction: [count, gates * hidden].
using RowProduct = std::function<Tensor(const float* rows, std::int64_t count)>;
// That of an input of the node, 1 (W) or 2 (R), with rows of `width` values.
using MakeProduct =
    std::function<RowProduct(std::size_t input, std::int64_t direction, std::int64_t width)>;

class Recurrence {
 public:
  // activations: the defaults for one direction.
  Recurrence(const Node& node, std::int64_t gates, std::vector<std::string> activations);

  // Runs all directions and sets the outputs Y, Y_h and, for LSTM, Y_c. make_product: for weights
  // that are no floats; W multiplies the steps that some sample has in one call, R the states of
  // the samples that still run in one call per step. Then CellWeights::r is null, and the node has
  // a hidden_size.
  void run(KernelContext& context, const MakeCell& make_cell,
           const MakeProduct& make_product = {}) const;

  std::int64_t hidden() const { return hidden_; }  // 0: not given
  std::int64_t directions() const { return directions_; }

 private:
  struct Problem;  // the tensors of one call
  Problem read(const KernelContext& context, bool float_weights) const;
  void run_direction(Problem& problem, std::int64_t direction, const MakeCell& make_cell,
                     const MakeProduct& make_product) const;
  void step(Problem& problem, std::int64_t direction, std::int64_t s, const float* inputs,
            const RowProduct& recurrent, const Cell& cell) const;

  std::int64_t gates_, hidden_, directions_;
  bool reverse_only_, batch_first_;
  std::vector<std::vector<Activation>> activations_;  // by direction
};

}  // namespace intaglio
