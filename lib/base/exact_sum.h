// Sums of floats without rounding.
#pragma once

#include <array>
#include <cstdint>

namespace intaglio {

// A fixed-point number wide enough for every float from the least subnormal to the largest value,
// with 64 bits to spare: any sequence of add() and merge() of the same floats gives the same state
// (a Kulisch accumulator).
class ExactSum {
 public:
  void add(float x);  // finite
  void merge(const ExactSum& other);
  double value() const;  // rounded once

  // Two's complement, least significant word first; the unit is 2^-149.
  using Words = std::array<std::uint64_t, 6>;
  const Words& words() const { return words_; }
  static ExactSum restored(const Words& words);

  bool operator==(const ExactSum&) const = default;

 private:
  void add(const Words& other);

  Words words_{};
};

}  // namespace intaglio
