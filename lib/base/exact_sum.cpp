#include "lib/base/exact_sum.h"

#include <bit>
#include <cmath>

namespace intaglio {
namespace {

using Words = ExactSum::Words;

Words negated(Words words) {
  std::uint64_t carry = 1;
  for (std::uint64_t& word : words) {
    word = ~word + carry;
    carry = carry == 1 && word == 0 ? 1 : 0;
  }
  return words;
}

}  // namespace

void ExactSum::add(const Words& other) {
  unsigned char carry = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const std::uint64_t before = words_[i], sum = before + other[i];
    words_[i] = sum + carry;
    carry = static_cast<unsigned char>(sum < before || words_[i] < sum);
  }
}

void ExactSum::add(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  const std::uint64_t mantissa = exponent == 0 ? fraction : fraction | 0x800000;
  const std::size_t shift = exponent == 0 ? 0 : exponent - 1;  // in units of 2^-149
  Words words{};
  words[shift / 64] = mantissa << shift % 64;
  if (shift % 64 > 40) words[shift / 64 + 1] = mantissa >> (64 - shift % 64);
  add(x < 0 ? negated(words) : words);
}

void ExactSum::merge(const ExactSum& other) { add(other.words_); }

double ExactSum::value() const {
  const bool negative = words_.back() >> 63 != 0;
  const Words magnitude = negative ? negated(words_) : words_;
  double sum = 0;
  for (std::size_t i = magnitude.size(); i-- > 0;)
    sum += std::ldexp(static_cast<double>(magnitude[i]), static_cast<int>(i) * 64 - 149);
  return negative ? -sum : sum;
}

ExactSum ExactSum::restored(const Words& words) {
  ExactSum sum;
  sum.words_ = words;
  return sum;
}

}  // namespace intaglio
