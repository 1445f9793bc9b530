// com.microsoft: GatherBlockQuantized (onnxruntime/docs/ContribOperators.md): rows of a table whose
// codes have a scale, and a zero point, for each block along one axis. The codes are int4 or uint4,
// or packed into uint8 along the last axis, the first in the lowest bits, 2, 4 or 8 bits each.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct Config {
  std::int64_t bits, block, gather_axis, quantize_axis;
};

Config read_config(const Node& node) {
  return {node.attr_int("bits", 4), node.attr_int("block_size", 128),
          node.attr_int("gather_axis", 0), node.attr_int("quantize_axis", 1)};
}

// Codes of so many bits in bytes, rows of `columns` codes; each row starts with a byte.
class Codes {
 public:
  Codes(const Tensor& t, std::int64_t bits, std::int64_t columns)
      : data_(t.raw()), bits_(static_cast<std::size_t>(bits)), sign_(t.dtype() == DType::s4) {
    const bool bytes = t.dtype() == DType::u8;
    row_ = bytes ? (columns * bits + 7) / 8 * 8 / bits : columns;
    columns_ = std::max<std::int64_t>(columns, 1);
  }

  // Element i of all rows, one behind the other.
  std::int32_t operator[](std::int64_t i) const {
    const std::int64_t at = row_ == columns_ ? i : i / columns_ * row_ + i % columns_;
    const std::int32_t code = packed_bits(data_, bits_, static_cast<std::size_t>(at));
    return sign_ && code > 7 ? code - 16 : code;
  }

 private:
  const std::byte* data_;
  std::size_t bits_;
  bool sign_;
  std::int64_t row_ = 0, columns_ = 1;
};

// What the codes say before they are packed.
Shape unpacked_shape(const Tensor& data, std::int64_t bits) {
  Shape shape = data.shape();
  if (data.dtype() == DType::u8 && !shape.empty()) shape.back() *= 8 / bits;
  return shape;
}

class Table {
 public:
  Table(const Config& config, const Tensor& data, Tensor scales, const Tensor* zeros)
      : shape_(unpacked_shape(data, bits_of(data, config))),
        axis_(normalized_axis(config.quantize_axis, data.rank())),
        view_(shape_, axis_),
        block_(config.block),
        codes_(data, bits_of(data, config), shape_.empty() ? 1 : shape_.back()),
        scales_(std::move(scales)),
        blocks_((view_.length + block_ - 1) / block_) {
    const bool bytes = data.dtype() == DType::u8;
    Shape expected = shape_;
    expected[static_cast<std::size_t>(axis_)] = blocks_;
    if (scales_.shape() != expected)
      throw Error(Code::model,
                  fmt::format("scales of shape {} for codes of shape {} in blocks of "
                              "{} along axis {}",
                              to_string(scales_.shape()), to_string(shape_), block_, axis_));
    if (bytes && axis_ + 1 != data.rank())
      throw Error(Code::unsupported, "packed uint8 with blocks along another axis than the last");
    middle_ = bytes ? 1 << (config.bits - 1) : 0;
    if (zeros == nullptr) return;
    Codes given(*zeros, bits_of(data, config), expected.back());
    if (bytes) expected.back() = (expected.back() * config.bits + 7) / 8;
    if (zeros->shape() != expected || zeros->dtype() != data.dtype())
      throw Error(Code::model, fmt::format("zero points of shape {} for scales of shape {}",
                                           to_string(zeros->shape()), to_string(scales_.shape())));
    zeros_ = given;
  }

  const Shape& shape() const { return shape_; }

  // Elements [first, first + count), one behind the other.
  void write(std::int64_t first, std::int64_t count, float* out) const {
    for (std::int64_t at = first; at < first + count;) {
      const std::int64_t inner = at % view_.inner, i = at / view_.inner % view_.length;
      const std::int64_t outer = at / view_.inner / view_.length;
      const std::int64_t block = (outer * blocks_ + i / block_) * view_.inner + inner;
      const float scale = scales_.data<float>()[static_cast<std::size_t>(block)];
      const std::int32_t zero = zeros_ ? (*zeros_)[block] : middle_;
      // Along the last axis neighbours share their block.
      const std::int64_t rest = std::min(block_ - i % block_, view_.length - i);
      const std::int64_t end = view_.inner == 1 ? std::min(at + rest, first + count) : at + 1;
      for (; at < end; ++at) *out++ = static_cast<float>(codes_[at] - zero) * scale;
    }
  }

 private:
  static std::int64_t bits_of(const Tensor& data, const Config& config) {
    return data.dtype() == DType::u8 ? config.bits : 4;
  }

  Shape shape_;
  std::int64_t axis_;
  AxisView view_;
  std::int64_t block_;
  Codes codes_;
  Tensor scales_;
  std::int64_t blocks_;
  std::int32_t middle_ = 0;  // the zero point where none is given
  std::optional<Codes> zeros_;
};

// Inputs: data, indices, scales, zero_points.
std::unique_ptr<Kernel> make(const Node& node) {
  return make_kernel([config = read_config(node)](KernelContext& c) {
    const Tensor &data = c.input(0), &indices = c.input(1);
    if (data.dtype() != DType::u8 && data.dtype() != DType::u4 && data.dtype() != DType::s4)
      throw Error(Code::unsupported, fmt::format("codes of type {}", name_of(data.dtype())));
    const Table table(config, data, as_float(c.input(2)), c.optional(3));
    const std::int64_t axis = normalized_axis(config.gather_axis, data.rank());
    const AxisView view(table.shape(), axis);
    Shape shape(table.shape().begin(), table.shape().begin() + axis);
    shape.insert(shape.end(), indices.shape().begin(), indices.shape().end());
    shape.insert(shape.end(), table.shape().begin() + axis + 1, table.shape().end());
    Tensor result(DType::f32, shape);
    auto wanted = indices.to_vector<std::int64_t>();
    for (std::int64_t& i : wanted) i = checked_index(i, view.length);
    float* out = result.mutate<float>().data();
    if (result.size() > 0)
      for (std::int64_t o = 0; o < view.outer; ++o)
        for (const std::int64_t i : wanted) {
          table.write((o * view.length + i) * view.inner, view.inner, out);
          out += view.inner;
        }
    set_float_output(c, 0, std::move(result), c.input(2).dtype());
  });
}

Refusal refuse(const Node& node) {
  const Config config = read_config(node);
  if (config.bits != 2 && config.bits != 4 && config.bits != 8)
    return fmt::format("{} bits: codes have 2, 4 or 8", config.bits);
  if (config.block < 1) return "block_size is below 1";
  return std::nullopt;
}

void infer(RuleContext& c) {
  c.set(0, c.dtype(2));
  const Config config = read_config(c.node());
  if (!c.dims(0) || !c.dims(1) || c.dims(0)->empty() || config.bits < 1) return;
  Dims dims = *c.dims(0);
  if (c.dtype(0) == DType::u8) dims.back() = times(dims.back(), 8 / config.bits);
  if (c.dtype(0) == DType::undefined) dims.back() = Dim{};
  const std::size_t axis = axis_of(config.gather_axis, dims);
  const auto at = dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(at, c.dims(1)->begin(), c.dims(1)->end());
  c.set(0, c.dtype(2), dims);
}

}  // namespace

void register_gather_block_quantized(Registry& registry) {
  registry.add({.op = "GatherBlockQuantized",
                .domain = "com.microsoft",
                .refuse = refuse,
                .make = make,
                .infer = infer});
}

}  // namespace intaglio
