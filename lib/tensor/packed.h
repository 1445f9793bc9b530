// Elements of 4 and 2 bits, as ONNX stores them: several to a byte, the first in the lowest bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace intaglio {

// Bits of element i, without a sign.
inline std::uint8_t packed_bits(const std::byte* data, std::size_t bits, std::size_t i) {
  const std::size_t in_byte = 8 / bits;
  return static_cast<std::uint8_t>(
      static_cast<unsigned>(data[i / in_byte]) >> (i % in_byte * bits) & ((1U << bits) - 1));
}

// Writes the lowest bits of each value; what is left of the last byte is 0.
template <typename T>
void pack_bits(std::span<const T> values, std::size_t bits, std::byte* out) {
  const std::size_t in_byte = 8 / bits;
  for (std::size_t i = 0; i < values.size(); i += in_byte) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < in_byte && i + k < values.size(); ++k)
      byte |= (static_cast<unsigned>(values[i + k]) & ((1U << bits) - 1)) << (k * bits);
    out[i / in_byte] = static_cast<std::byte>(byte);
  }
}

}  // namespace intaglio
