// Elements of 4 and 2 bits: how they lie in memory, and how values wrap.
#include "lib/tensor/packed.h"

#include <gtest/gtest.h>

#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

TEST(Packed, TheFirstElementHasTheLowestBits) {
  const Tensor two = convert(Tensor::vector<std::int32_t>({1, 2, 3, 0, 3}), DType::u2);
  ASSERT_EQ(two.bytes(), 2u);
  EXPECT_EQ(two.raw()[0], std::byte{0b00'11'10'01});
  EXPECT_EQ(two.raw()[1], std::byte{3}) << "what is left is 0";
  const Tensor four = convert(Tensor::vector<std::int32_t>({-8, 7, -1}), DType::s4);
  ASSERT_EQ(four.bytes(), 2u);
  EXPECT_EQ(four.raw()[0], std::byte{0x78});
  EXPECT_EQ(four.raw()[1], std::byte{0x0f});
}

TEST(Packed, EveryCodeComesBack) {
  for (const DType type : {DType::u2, DType::s2, DType::u4, DType::s4}) {
    const bool is_signed = type == DType::s2 || type == DType::s4;
    const int levels = 1 << bits_of(type), first = is_signed ? -levels / 2 : 0;
    std::vector<std::int32_t> values;
    for (int i = 0; i < levels; ++i) values.push_back(first + i);
    const Tensor packed = convert(Tensor::vector<std::int32_t>(values), type);
    EXPECT_EQ(packed.bytes(), values.size() * bits_of(type) / 8) << name_of(type);
    EXPECT_EQ(packed.to_vector<std::int32_t>(), values) << name_of(type);
    EXPECT_EQ(convert(packed, DType::f32).to_vector<std::int32_t>(), values) << name_of(type);
    for (auto& v : values) v += 2 * levels;
    EXPECT_EQ(convert(Tensor::vector<std::int32_t>(values), type).to_vector<std::int32_t>(),
              packed.to_vector<std::int32_t>())
        << "values wrap";
  }
}

TEST(Packed, OneTypeBecomesAnother) {
  const Tensor two = convert(Tensor::vector<std::int32_t>({-2, 1, 0, -1}), DType::s2);
  EXPECT_EQ(convert(two, DType::s4).to_vector<int>(), (std::vector<int>{-2, 1, 0, -1}));
  EXPECT_EQ(convert(two, DType::f4e2m1).to_vector<float>(), (std::vector<float>{-2, 1, 0, -1}));
}

}  // namespace
}  // namespace intaglio
