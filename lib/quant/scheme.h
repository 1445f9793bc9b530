// How a tensor is to be quantized, before any number is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/tensor/dtype.h"

namespace intaglio {

struct Scheme {
  // u8, s8, u16 or s16; of weights alone also f16 and bf16, and in groups u4, s4, u2 and s2.
  DType type = DType::u8;
  bool symmetric = false;     // the range is widened to [-a, a]; signed types then use narrow codes
  bool reduce_range = false;  // one bit less: for integer units that saturate (u8 x s8 on AVX2)
  std::optional<int> axis;    // per-channel along this axis; nullopt: per-tensor
  // Of weights: so many neighbours along `axis`, which is then the one that is summed over, share a
  // scale (block-wise quantization); 0: no groups.
  std::int64_t group = 0;
  // No zero point is that of symmetric codes, 0 of s8 and 128 of u8 (target key `zero_points`): it
  // lies one code lower.
  bool off_centre = false;

  bool operator==(const Scheme&) const = default;
};

// The integer codes that a scheme uses, both ends included.
//   full:       u8 0..255, s8 -128..127, u16 0..65535, s16 -32768..32767
//   symmetric:  signed types leave the lowest code out (s8 -127..127), so that -a and a are alike
//   reduced:    u8 0..127, s8 -64..64, u16 0..32767, s16 -16384..16384; goes before symmetric
//   off centre: symmetric signed codes lie one lower, s8 -128..126, so that -a and a still are alike
//   u4 0..15, s4 -8..7, u2 0..3, s2 -2..1, symmetric or not: none can be spared
struct Levels {
  std::int32_t lo, hi;
  double steps() const { return static_cast<double>(hi) - lo; }  // between the outermost codes
  bool operator==(const Levels&) const = default;
};
Levels levels_of(const Scheme& scheme);  // Code::config for a type that cannot be quantized to

std::string to_string(const Scheme& scheme);  // "u8 per-tensor asymmetric"

}  // namespace intaglio
