#include "lib/quant/group_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "lib/base/mapped_files.h"
#include "lib/base/parallel.h"
#include "lib/base/simd.h"

namespace intaglio {
namespace {

// Outputs that one thread takes at a time: of weights (K, N) whole pages are read.
constexpr std::size_t strip = 16 * panel_width;
// Pages of a mapped file are given back when so many bytes were read.
constexpr std::size_t held = std::size_t{24} << 20;

std::size_t as_size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::size_t groups_of(std::size_t inputs, std::size_t group) {
  return (inputs + group - 1) / group;
}

// Rows k, columns j: panel[k][j] = from[k * row_step + j * column_step].
template <typename T>
void load_strided(const T* from, std::size_t rows, std::size_t columns, std::size_t row_step,
                  std::size_t column_step, PanelRow* panel) {
  constexpr std::size_t together = 16;
  for (std::size_t first = 0; first < rows; first += together)
    for (std::size_t j = 0; j < columns; ++j)
      for (std::size_t k = first; k < std::min(first + together, rows); ++k)
        panel[k][j] = static_cast<float>(from[k * row_step + j * column_step]);
}

void load_rows(const float* from, std::size_t rows, std::size_t columns, std::size_t row_step,
               PanelRow* panel) {
  for (std::size_t k = 0; k < rows; ++k)
    std::copy_n(from + k * row_step, columns, panel[k].begin());
}

template <typename T>
void load_panel(const WeightMatrix& m, const T* values, std::size_t first, std::size_t columns,
                std::size_t first_input, std::vector<PanelRow>& panel) {
  const std::size_t k = as_size(m.inputs), inner = as_size(m.inner), rows = panel.size();
  if (columns < panel_width) std::ranges::fill(panel, PanelRow{});
  if (m.outer == 1) {
    if constexpr (std::is_same_v<T, float>)
      load_rows(values + first_input * inner + first, rows, columns, inner, panel.data());
    else
      load_strided(values + first_input * inner + first, rows, columns, inner, 1, panel.data());
  } else if (inner == 1) {
    load_strided(values + first * k + first_input, rows, columns, 1, k, panel.data());
  } else {
    for (std::size_t j = 0; j < columns; ++j) {
      const std::size_t n = first + j;
      const T* column = values + n / inner * k * inner + n % inner;
      for (std::size_t r = 0; r < rows; ++r)
        panel[r][j] = static_cast<float>(column[(first_input + r) * inner]);
    }
  }
}

// Puts codes together, `in_byte` rows to one row of bytes, the first in the lowest bits.
void join_rows(const PanelCodes* codes, std::size_t in_byte, std::size_t bits, PanelCodes& bytes) {
  bytes = codes[0];
  for (std::size_t i = 1; i < in_byte; ++i)
    for (std::size_t j = 0; j < panel_width; ++j)
      bytes[j] = static_cast<std::uint8_t>(bytes[j] | codes[i][j] << (i * bits));
}

// A matrix of codes, several to a byte: along a row, or one a byte until all are there.
class CodeRows {
 public:
  CodeRows(DType type, std::size_t rows, std::size_t columns, std::int32_t lowest)
      : type_(type),
        bits_(bits_of(type)),
        columns_(columns),
        lowest_(static_cast<std::uint8_t>(lowest)),
        whole_bytes_(columns * bits_ % 8 == 0),
        tensor_(whole_bytes_ ? type : DType::u8,
                {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}),
        bytes_(reinterpret_cast<std::uint8_t*>(tensor_.raw_mutate())) {}

  void put(std::size_t row, std::size_t first, std::size_t count, const PanelCodes& codes) {
    const auto stored = [&](std::size_t j) {
      return static_cast<std::uint8_t>((codes[j] + lowest_) & ((1U << bits_) - 1));
    };
    const std::size_t in_byte = whole_bytes_ ? 8 / bits_ : 1;
    std::uint8_t* to = bytes_ + (row * columns_ + first) / in_byte;
    for (std::size_t j = 0; j < count; j += in_byte) {
      std::uint8_t byte = 0;
      for (std::size_t i = 0; i < in_byte; ++i)
        byte = static_cast<std::uint8_t>(byte | stored(j + i) << (i * bits_));
      to[j / in_byte] = byte;
    }
  }

  Tensor take() && {
    if (whole_bytes_) return std::move(tensor_);
    Tensor packed(type_, tensor_.shape());
    pack_bits(tensor_.data<std::uint8_t>(), bits_, packed.raw_mutate());
    return packed;
  }

 private:
  DType type_;
  std::size_t bits_, columns_;
  std::uint8_t lowest_;
  bool whole_bytes_;
  Tensor tensor_;
  std::uint8_t* bytes_;
};

PanelCodes codes_of(const PanelRow& zeros) {
  PanelCodes codes;
  for (std::size_t j = 0; j < panel_width; ++j) codes[j] = static_cast<std::uint8_t>(zeros[j]);
  return codes;
}

template <typename T>
void put_scales(Tensor& scales, std::size_t at, std::size_t step, std::size_t count,
                const PanelRow& row) {
  const auto to = scales.mutate<T>();
  for (std::size_t j = 0; j < count; ++j) to[at + j * step] = T(row[j]);
}

void store_scales(Tensor& scales, std::size_t at, std::size_t step, std::size_t count,
                  const PanelRow& row) {
  if (scales.dtype() == DType::f32) put_scales<float>(scales, at, step, count, row);
  if (scales.dtype() == DType::f16) put_scales<Half>(scales, at, step, count, row);
  if (scales.dtype() == DType::bf16) put_scales<BFloat16>(scales, at, step, count, row);
}

// Where panels go.
class Result {
 public:
  virtual ~Result() = default;
  // The panel's outputs from `first` on, its groups from `group` on.
  virtual void put(std::size_t first, std::size_t count, std::size_t group,
                   const QuantizedPanel& panel) = 0;
  virtual void finish(GroupCodes& codes) = 0;
};

struct Sizes {
  std::size_t inputs, outputs, group, groups;
};

class InputsFirst : public Result {
 public:
  InputsFirst(const Sizes& sizes, DType type, DType scale_type, const GroupGrid& grid)
      : sizes_(sizes),
        codes_(type, sizes.inputs, sizes.outputs, grid.lowest),
        zeros_(type, grid.chooses ? sizes.groups : 0, sizes.outputs, grid.lowest),
        scales_(scale_type, {static_cast<std::int64_t>(sizes.groups),
                             static_cast<std::int64_t>(sizes.outputs)}),
        chooses_(grid.chooses) {
    scales_.raw_mutate();
  }
  void put(std::size_t first, std::size_t count, std::size_t group,
           const QuantizedPanel& panel) override {
    for (std::size_t k = 0; k < panel.codes.size(); ++k)
      codes_.put(group * sizes_.group + k, first, count, panel.codes[k]);
    for (std::size_t g = 0; g < panel.params.size(); ++g) {
      store_scales(scales_, (group + g) * sizes_.outputs + first, 1, count, panel.params[g].scale);
      if (chooses_) zeros_.put(group + g, first, count, codes_of(panel.params[g].zero));
    }
  }
  void finish(GroupCodes& codes) override {
    codes.codes = std::move(codes_).take();
    codes.scales = std::move(scales_);
    if (chooses_) codes.zero_points = std::move(zeros_).take();
  }

 private:
  Sizes sizes_;
  CodeRows codes_, zeros_;
  Tensor scales_;
  bool chooses_;
};

class OutputsFirst : public Result {
 public:
  OutputsFirst(const Sizes& sizes, DType type, DType scale_type, const GroupGrid& grid)
      : sizes_(sizes),
        bits_(bits_of(type)),
        in_byte_(8 / bits_),
        zero_bytes_((sizes.groups + in_byte_ - 1) / in_byte_),
        chooses_(grid.chooses) {
    const auto n = static_cast<std::int64_t>(sizes.outputs),
               groups = static_cast<std::int64_t>(sizes.groups);
    codes_ = Tensor(DType::u8, {n, groups, static_cast<std::int64_t>(sizes.group / in_byte_)});
    scales_ = Tensor(scale_type, {n, groups});
    if (chooses_) zeros_ = Tensor(DType::u8, {n, static_cast<std::int64_t>(zero_bytes_)});
    bytes_ = codes_.mutate<std::uint8_t>();
    scales_.raw_mutate();
    if (chooses_) zero_bytes_of_ = zeros_.mutate<std::uint8_t>();
  }

  void put(std::size_t first, std::size_t count, std::size_t group,
           const QuantizedPanel& panel) override {
    for (std::size_t g = 0; g < panel.params.size(); ++g) {
      put_codes(first, count, group, g, panel);
      store_scales(scales_, first * sizes_.groups + group + g, sizes_.groups, count,
                   panel.params[g].scale);
      if (chooses_ && (group + g) % in_byte_ == 0) put_zeros(first, count, group, g, panel);
    }
  }
  void finish(GroupCodes& codes) override {
    codes.codes = std::move(codes_);
    codes.scales = std::move(scales_);
    codes.zero_points = std::move(zeros_);
  }

 private:
  void put_codes(std::size_t first, std::size_t count, std::size_t group, std::size_t g,
                 const QuantizedPanel& panel) {
    const std::size_t per_group = sizes_.group / in_byte_;
    std::array<PanelCodes, 8> rows;
    std::vector<PanelCodes> bytes(per_group);
    const PanelCodes none = codes_of(panel.params[g].zero);
    for (std::size_t b = 0; b < per_group; ++b) {
      const std::size_t k = g * sizes_.group + b * in_byte_;
      if (k + in_byte_ <= panel.codes.size()) {
        join_rows(&panel.codes[k], in_byte_, bits_, bytes[b]);
        continue;
      }
      for (std::size_t i = 0; i < in_byte_; ++i)
        rows[i] = k + i < panel.codes.size() ? panel.codes[k + i] : none;
      join_rows(rows.data(), in_byte_, bits_, bytes[b]);
    }
    for (std::size_t j = 0; j < count; ++j) {
      std::uint8_t* to = &bytes_[((first + j) * sizes_.groups + group + g) * per_group];
      for (std::size_t b = 0; b < per_group; ++b) to[b] = bytes[b][j];
    }
  }

  void put_zeros(std::size_t first, std::size_t count, std::size_t group, std::size_t g,
                 const QuantizedPanel& panel) {
    for (std::size_t j = 0; j < count; ++j) {
      unsigned byte = 0;
      for (std::size_t i = 0; i < in_byte_ && g + i < panel.params.size(); ++i)
        byte |= static_cast<unsigned>(panel.params[g + i].zero[j]) << (i * bits_);
      zero_bytes_of_[(first + j) * zero_bytes_ + (group + g) / in_byte_] =
          static_cast<std::uint8_t>(byte);
    }
  }

  Sizes sizes_;
  std::size_t bits_, in_byte_, zero_bytes_;
  bool chooses_;
  Tensor codes_, scales_, zeros_;
  std::span<std::uint8_t> bytes_, zero_bytes_of_;
};

// Sums of squares of weights and of what rounding changed.
INTAGLIO_CLONES
void add_squares(const PanelRow* w, const PanelRow* made, std::size_t rows, PanelRow& signal,
                 PanelRow& noise) {
  for (std::size_t k = 0; k < rows; ++k)
    for (std::size_t j = 0; j < panel_width; ++j) {
      const float off = made[k][j] - w[k][j];
      signal[j] += w[k][j] * w[k][j];
      noise[j] += off * off;
    }
}

struct Squares {
  double signal = 0, noise = 0;
};

Squares squares_of(std::span<const PanelRow> w, std::size_t group, const QuantizedPanel& panel,
                   std::vector<PanelRow>& made) {
  Squares sums;
  for (std::size_t g = 0; g < panel.params.size(); ++g) {
    const std::size_t first = g * group, rows = std::min(group, w.size() - first);
    decode({&panel.codes[first], rows}, panel.params[g], made);
    PanelRow signal{}, noise{};
    add_squares(&w[first], made.data(), rows, signal, noise);
    for (const float s : signal) sums.signal += static_cast<double>(s);
    for (const float n : noise) sums.noise += static_cast<double>(n);
  }
  return sums;
}

[[noreturn]] void refuse_nonfinite(std::span<const PanelRow> w, std::size_t first_input,
                                   std::size_t first) {
  for (std::size_t j = 0; j < panel_width; ++j)
    for (std::size_t k = 0; k < w.size(); ++k)
      if (!std::isfinite(w[k][j]))
        throw Error(
            Code::model,
            fmt::format("{} where input {} goes into output {}: it cannot be quantized",
                        std::isnan(w[k][j]) ? "NaN" : "infinity", first_input + k, first + j),
            "Repair the weight, or leave its node float with `exclude`.");
  throw Error(Code::internal, "a panel is not finite, and its weights are");
}

GroupGrid grid_for(const Scheme& scheme, DType weights) {
  GroupGrid grid = group_grid(scheme);
  if (weights == DType::f16) grid.least_scale = 0x1p-14F;
  return grid;
}

// What one thread takes at a time.
struct Part {
  std::size_t first_output = 0, outputs = 0, first_input = 0, inputs = 0;
};

class Quantizing {
 public:
  Quantizing(const WeightMatrix& matrix, const Scheme& scheme, const GroupMethod& method,
             Result& result)
      : matrix_(matrix),
        grid_(grid_for(scheme, matrix.values.dtype())),
        method_(method),
        group_(as_size(scheme.group)),
        parts_(parts_of(8 / bits_of(scheme.type))),
        result_(result),
        squares_(parts_.size()) {}

  void run(std::size_t threads) {
    parallel_for(parts_.size(), threads, [&](std::size_t, std::size_t i) { take(i); });
  }

  Squares squares() const {
    Squares all;
    for (const Squares& s : squares_) all.signal += s.signal, all.noise += s.noise;
    return all;
  }

 private:
  // Bands of whole rows of (K, N) where groups are independent, which reads the file in its order;
  // else all inputs of some outputs. Bands hold as many groups as have their zeros in one byte.
  std::vector<Part> parts_of(std::size_t in_byte) const {
    const std::size_t inputs = as_size(matrix_.inputs), outputs = as_size(matrix_.outputs());
    std::vector<Part> parts;
    if (matrix_.outer == 1 && method_.independent_groups()) {
      const std::size_t band = group_ * in_byte;
      for (std::size_t k = 0; k < inputs; k += band)
        parts.push_back({0, outputs, k, std::min(band, inputs - k)});
    } else {
      for (std::size_t n = 0; n < outputs; n += strip)
        parts.push_back({n, std::min(strip, outputs - n), 0, inputs});
    }
    return parts;
  }

  void take(std::size_t i) {
    const Part& part = parts_[i];
    std::vector<PanelRow> panel(part.inputs), made(group_);
    QuantizedPanel quantized{std::vector<PanelCodes>(part.inputs),
                             std::vector<GroupParams>(groups_of(part.inputs, group_))};
    for (std::size_t at = 0; at < part.outputs; at += panel_width) {
      const std::size_t first = part.first_output + at,
                        count = std::min(panel_width, part.outputs - at);
      load(first, count, part, panel);
      if (!all_finite(panel)) refuse_nonfinite(panel, part.first_input, first);
      method_.quantize(panel, part.first_input, group_, grid_, quantized);
      const Squares sums = squares_of(panel, group_, quantized, made);
      squares_[i].signal += sums.signal, squares_[i].noise += sums.noise;
      result_.put(first, count, part.first_input / group_, quantized);
    }
    give_back(part);
  }

  void load(std::size_t first, std::size_t count, const Part& part,
            std::vector<PanelRow>& panel) const {
    const Tensor& values = matrix_.values;
    if (values.dtype() == DType::f32)
      load_panel(matrix_, values.data<float>().data(), first, count, part.first_input, panel);
    else if (values.dtype() == DType::f16)
      load_panel(matrix_, values.data<Half>().data(), first, count, part.first_input, panel);
    else
      load_panel(matrix_, values.data<BFloat16>().data(), first, count, part.first_input, panel);
  }

  // A band is read by nobody else. Of strips all that was read so far goes at times: the pages of a
  // row hold what its neighbours read.
  void give_back(const Part& part) {
    const Tensor& values = matrix_.values;
    const std::size_t element = bits_of(values.dtype()) / 8;
    const std::size_t bytes = part.outputs * part.inputs * element;
    if (matrix_.outer == 1 && part.outputs == as_size(matrix_.outputs())) {
      give_back_pages({values.raw() + part.first_input * part.outputs * element, bytes});
    } else if ((read_ += bytes) >= held || &part == &parts_.back()) {
      read_ = 0;
      give_back_pages({values.raw(), values.bytes()});
    }
  }

  const WeightMatrix& matrix_;
  const GroupGrid grid_;
  const GroupMethod& method_;
  const std::size_t group_;
  const std::vector<Part> parts_;
  Result& result_;
  std::vector<Squares> squares_;
  std::atomic<std::size_t> read_ = 0;
};

}  // namespace

std::optional<double> sqnr_db(double signal, double noise) {
  return noise > 0 ? std::optional(10 * std::log10(signal / noise)) : std::nullopt;
}

WeightMatrix weight_matrix(const Tensor& values, int axis) {
  WeightMatrix m{values, 1, values.dim(static_cast<std::size_t>(axis)), 1};
  for (int a = 0; a < values.rank(); ++a)
    (a < axis ? m.outer : m.inner) *= a == axis ? 1 : values.dim(static_cast<std::size_t>(a));
  return m;
}

GroupCodes quantize_groups(const WeightMatrix& matrix, const Scheme& scheme,
                           const GroupMethod& method, GroupLayout layout, std::size_t threads) {
  const std::size_t inputs = as_size(matrix.inputs), group = as_size(scheme.group);
  const Sizes sizes{inputs, as_size(matrix.outputs()), group, groups_of(inputs, group)};
  const GroupGrid grid = group_grid(scheme);
  const DType scale_type = matrix.values.dtype();
  std::unique_ptr<Result> result;
  if (layout == GroupLayout::inputs_first)
    result = std::make_unique<InputsFirst>(sizes, scheme.type, scale_type, grid);
  else
    result = std::make_unique<OutputsFirst>(sizes, scheme.type, scale_type, grid);
  Quantizing quantizing(matrix, scheme, method, *result);
  quantizing.run(threads);
  GroupCodes codes;
  result->finish(codes);
  codes.signal = quantizing.squares().signal;
  codes.noise = quantizing.squares().noise;
  return codes;
}

}  // namespace intaglio
