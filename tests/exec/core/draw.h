// Seeded choices for tests on random shapes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <utility>

#include "lib/tensor/tensor.h"

namespace intaglio {

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  std::int64_t between(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(random_() % static_cast<unsigned>(hi - lo + 1));
  }
  std::int64_t one_of(std::initializer_list<std::int64_t> list) {
    return *(list.begin() + between(0, static_cast<std::int64_t>(list.size()) - 1));
  }
  // Bytes of any value.
  Tensor codes(DType type, Shape shape) {
    Tensor t(type, std::move(shape));
    std::byte* bytes = t.raw_mutate();
    for (std::size_t i = 0; i < t.bytes(); ++i) bytes[i] = std::byte(between(0, 255));
    return t;
  }

 private:
  std::mt19937 random_;
};

}  // namespace intaglio
