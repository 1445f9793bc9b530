#include "lib/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace intaglio {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

template <typename F>
Code code_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "no error";
  return {};
}

Tensor counted(Shape shape) {
  Tensor tensor(DType::s32, std::move(shape));
  const auto values = tensor.mutate<std::int32_t>();
  std::iota(values.begin(), values.end(), 0);
  return tensor;
}

TEST(Tensor, KnowsItsTypeShapeAndBytes) {
  EXPECT_FALSE(Tensor().defined());
  const Tensor t(DType::f16, {2, 3});
  EXPECT_EQ(t.dtype(), DType::f16);
  EXPECT_EQ(t.rank(), 2);
  EXPECT_EQ(t.size(), 6);
  EXPECT_EQ(t.bytes(), 12u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw()) % 64, 0u);
  EXPECT_EQ(Tensor(DType::f32, {}).size(), 1);
  EXPECT_EQ(Tensor(DType::f32, {4, 0}).bytes(), 0u);
  EXPECT_EQ(Tensor::bytes_for(DType::u4, Shape{3}), 2u);
  EXPECT_EQ(Tensor::bytes_for(DType::string, Shape{3}), 0u);
}

TEST(Tensor, AbsurdShapesAreErrorsBeforeAnythingIsAllocated) {
  const std::int64_t big = std::int64_t{1} << 40;
  for (const Shape& shape : {Shape{-1}, Shape{2, -3}, Shape{big, big}, Shape{big, 1 << 22, 2},
                             Shape{std::numeric_limits<std::int64_t>::max(), 3}, Shape{0, big, big},
                             Shape{std::numeric_limits<std::int64_t>::min()}})
    EXPECT_EQ(code_of([&] { Tensor(DType::f32, shape); }), Code::model) << to_string(shape);
  EXPECT_EQ(code_of([&] { Tensor(DType::f64, {big, 1 << 22}); }), Code::model);
}

TEST(Tensor, CopiesShareAndWritesDetach) {
  Tensor a = Tensor::vector<float>({1, 2, 3});
  const std::byte* bytes = a.raw();
  a.mutate<float>()[0] = 9;
  EXPECT_EQ(a.raw(), bytes);  // alone: in place
  Tensor b = a;
  EXPECT_EQ(b.raw(), bytes);
  b.mutate<float>()[0] = 5;
  EXPECT_NE(b.raw(), bytes);
  EXPECT_EQ(a.data<float>()[0], 9);
  EXPECT_EQ(b.to_vector<float>(), (std::vector<float>{5, 2, 3}));
  Tensor c = a.reshaped({3, 1});
  c.mutate<float>()[1] = 7;
  EXPECT_EQ(a.to_vector<float>(), (std::vector<float>{9, 2, 3}));
}

TEST(Tensor, AViewIsNeverWrittenThrough) {
  const auto bytes = std::make_shared<std::array<float, 2>>(std::array<float, 2>{1, 2});
  Tensor view =
      Tensor::view(DType::f32, {2}, {bytes, reinterpret_cast<const std::byte*>(bytes->data())});
  EXPECT_EQ(view.raw(), reinterpret_cast<const std::byte*>(bytes->data()));
  view.mutate<float>()[0] = 8;
  EXPECT_EQ((*bytes)[0], 1);
  EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{8, 2}));
}

TEST(Tensor, TheWrongTypeOrShapeIsAnError) {
  Tensor t = Tensor::vector<float>({1, 2});
  EXPECT_EQ(code_of([&] { t.data<int>(); }), Code::model);
  EXPECT_EQ(code_of([&] { t.mutate<Half>(); }), Code::model);
  EXPECT_EQ(code_of([&] { t.item<float>(); }), Code::model);
  EXPECT_EQ(code_of([&] { t.reshaped({3}); }), Code::model);
  EXPECT_EQ(code_of([&] { Tensor().data<float>(); }), Code::model);
  EXPECT_EQ(code_of([&] { Tensor(DType::string, {1}).to_vector<int>(); }), Code::unsupported);
  EXPECT_EQ(Tensor::scalar<std::int64_t>(4).item<int>(), 4);
}

TEST(Tensor, FourBitValuesUnpackTheLowNibbleFirst) {
  const auto make = [](DType type) {
    Tensor t(type, {3});
    const unsigned char bytes[] = {0x8f, 0x07};
    std::memcpy(t.raw_mutate(), bytes, 2);
    return t;
  };
  EXPECT_EQ(make(DType::u4).to_vector<int>(), (std::vector<int>{15, 8, 7}));
  EXPECT_EQ(make(DType::s4).to_vector<int>(), (std::vector<int>{-1, -8, 7}));
  EXPECT_EQ(convert(make(DType::s4), DType::f32).to_vector<float>(),
            (std::vector<float>{-1, -8, 7}));
}

TEST(Layout, ChannelsLastReadsBackInRowMajorOrder) {
  for (const Shape& shape :
       {Shape{2, 3, 4, 5}, Shape{1, 1, 2, 2}, Shape{2, 3, 4}, Shape{1, 4, 2, 3, 2}}) {
    const Tensor rows = counted(shape);
    Tensor last(DType::s32, shape);
    const auto from = rows.data<std::int32_t>();
    const auto to = last.mutate<std::int32_t>();
    const std::int64_t inner = product(shape, 2, shape.size());
    for (std::int64_t n = 0, k = 0; n < shape[0]; ++n)
      for (std::int64_t i = 0; i < inner; ++i)
        for (std::int64_t c = 0; c < shape[1]; ++c)
          to[static_cast<std::size_t>(k++)] =
              from[static_cast<std::size_t>((n * shape[1] + c) * inner + i)];
    last.set_layout(Layout::channels_last);
    EXPECT_EQ(to_row_major(last).layout(), Layout::row_major);
    EXPECT_EQ(last.to_vector<int>(), rows.to_vector<int>()) << to_string(shape);
    EXPECT_EQ(convert(last, DType::f32).to_vector<int>(), rows.to_vector<int>());
    EXPECT_EQ(to_row_major(rows).raw(), rows.raw());
  }
}

TEST(Convert, FloatToIntegerTruncatesAndSaturates) {
  const Tensor t = Tensor::vector<float>({1.9f, -1.9f, 300, -300, nan, inf, -inf, 1e30f});
  EXPECT_EQ(convert(t, DType::u8).to_vector<int>(),
            (std::vector<int>{1, 0, 255, 0, 0, 255, 0, 255}));
  EXPECT_EQ(convert(t, DType::s8).to_vector<int>(),
            (std::vector<int>{1, -1, 127, -128, 0, 127, -128, 127}));
  constexpr auto low = std::numeric_limits<std::int64_t>::min();
  constexpr auto high = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(convert(t, DType::s64).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{1, -1, 300, -300, 0, high, low, high}));
  EXPECT_EQ(convert(t, DType::boolean).to_vector<int>(),
            (std::vector<int>{1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(convert(Tensor::vector<float>({0, -0.0f, 0.25f}), DType::boolean).to_vector<int>(),
            (std::vector<int>{0, 0, 1}));
}

// Small whole numbers survive any pair of types.
TEST(Convert, EveryPairOfTypesKeepsSmallNumbers) {
  const std::vector types = {DType::f32, DType::f64, DType::f16,    DType::bf16, DType::u8,
                             DType::s8,  DType::u16, DType::s16,    DType::u32,  DType::s32,
                             DType::u64, DType::s64, DType::boolean};
  for (const DType from : types)
    for (const DType to : types) {
      const bool boolean = from == DType::boolean || to == DType::boolean;
      const Tensor start = convert(Tensor::vector<std::int32_t>({0, 1, 100}), from);
      EXPECT_EQ(convert(start, to).to_vector<int>(), (std::vector<int>{0, 1, boolean ? 1 : 100}))
          << name_of(from) << " to " << name_of(to);
    }
}

TEST(DType, NamesGoBothWays) {
  for (const DType type : {DType::f32, DType::u8, DType::s4, DType::bf16, DType::boolean})
    EXPECT_EQ(dtype_named(name_of(type)), type);
  EXPECT_EQ(dtype_named("s8"), DType::s8);
  EXPECT_EQ(dtype_named("complex64"), DType::undefined);
}

}  // namespace
}  // namespace intaglio
