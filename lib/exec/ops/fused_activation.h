// Activations that com.microsoft's fused operators name in attributes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

class FusedActivation {
 public:
  // The name of an operator and its parameters in the order of its attributes; "" does nothing.
  // Throws Code::unsupported for a name that we do not know.
  FusedActivation(std::string_view name, std::vector<float> parameters);

  void apply(std::span<float> values) const;

 private:
  enum class Kind { none, relu, leaky_relu, sigmoid, tanh, clip, hard_sigmoid, gelu };
  float parameter(std::size_t i, float fallback) const {
    return i < parameters_.size() ? parameters_[i] : fallback;
  }

  Kind kind_ = Kind::none;
  std::vector<float> parameters_;
};

}  // namespace intaglio
