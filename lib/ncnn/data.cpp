#include "lib/ncnn/data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "lib/base/error.h"
#include "lib/tensor/half.h"

namespace intaglio {
namespace {

constexpr std::uint32_t tag_f32 = 0, tag_f32_scaled = 0x0002C056, tag_f16 = 0x01306B47,
                        tag_int8 = 0x000D4B38;

std::size_t aligned(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

// --- Which layers have which arrays ---

// Layers that multiply with weights: keys of what they say of them. none: there is no such key.
constexpr std::int64_t none = -1;
struct ProductRule {
  std::string_view type;
  std::int64_t weights = 6, bias = 5, groups = none, dynamic = none;
};
constexpr std::array product_rules = {
    ProductRule{.type = "Convolution", .dynamic = 19},
    ProductRule{.type = "Convolution1D", .dynamic = 19},
    ProductRule{.type = "Convolution3D"},
    ProductRule{.type = "ConvolutionDepthWise", .groups = 7, .dynamic = 19},
    ProductRule{.type = "ConvolutionDepthWise1D", .groups = 7, .dynamic = 19},
    ProductRule{.type = "ConvolutionDepthWise3D", .groups = 7},
    ProductRule{.type = "Deconvolution", .dynamic = 28},
    ProductRule{.type = "Deconvolution1D", .dynamic = 28},
    ProductRule{.type = "Deconvolution3D"},
    ProductRule{.type = "DeconvolutionDepthWise", .groups = 7, .dynamic = 28},
    ProductRule{.type = "DeconvolutionDepthWise1D", .groups = 7, .dynamic = 28},
    ProductRule{.type = "DeconvolutionDepthWise3D", .groups = 7},
    ProductRule{.type = "DeformableConv2D"},
    ProductRule{.type = "InnerProduct", .weights = 2, .bias = 1},
};

struct Wanted {
  std::int64_t count;
  bool tagged;
};
using Arrays = std::vector<Wanted>;

std::int64_t at(const NcnnLayer& layer, std::int64_t key, std::int64_t fallback = 0) {
  return layer.param(key, fallback);
}
Wanted raw(std::int64_t count) { return {count, false}; }
Wanted tagged(std::int64_t count) { return {count, true}; }

Arrays product_arrays(const NcnnLayer& layer) {
  const NcnnProduct product = ncnn_product(layer);
  if (product.weights == 0) return {};
  Arrays arrays = {tagged(product.weights)};
  if (product.bias) arrays.push_back(raw(product.outputs));
  return arrays;
}

Arrays recurrent_arrays(const NcnnLayer& layer, std::int64_t gates, std::int64_t biases) {
  const std::int64_t directions = at(layer, 2) == 2 ? 2 : 1, outputs = at(layer, 0);
  const std::int64_t hidden = layer.type == "LSTM" ? at(layer, 3, outputs) : outputs;
  Arrays arrays = {tagged(at(layer, 1)), tagged(hidden * biases * directions),
                   tagged(outputs * hidden * gates * directions)};
  if (outputs != hidden) arrays.push_back(tagged(hidden * outputs * directions));
  return arrays;
}

Arrays gemm_arrays(const NcnnLayer& layer) {
  const std::int64_t m = at(layer, 7), n = at(layer, 8), k = at(layer, 9);
  Arrays arrays;
  if (at(layer, 4) == 1) arrays.push_back(tagged(m * k));
  if (at(layer, 5) == 1) arrays.push_back(tagged(k * n));
  const std::array<std::int64_t, 5> added = {1, m, m, n * m, n};
  const std::int64_t shape = at(layer, 10);
  if (at(layer, 6) == 1 && shape >= 0 && shape < 5)
    arrays.push_back(tagged(added[static_cast<std::size_t>(shape)]));
  return arrays;
}

Arrays attention_arrays(const NcnnLayer& layer) {
  const std::int64_t embed = std::max<std::int64_t>(1, at(layer, 0)), weights = at(layer, 2);
  const std::int64_t query = weights / embed;
  return {tagged(weights),
          raw(embed),
          tagged(embed * at(layer, 3, embed)),
          raw(embed),
          tagged(embed * at(layer, 4, embed)),
          raw(embed),
          tagged(weights),
          raw(query)};
}

Arrays memory_arrays(const NcnnLayer& layer) {
  std::int64_t count = at(layer, 0);
  for (const std::int64_t key : {1, 11, 2}) count *= std::max<std::int64_t>(1, at(layer, key));
  return {{count, at(layer, 21, 1) == 0}};
}

// Gamma and beta, where there are any.
Arrays affine_arrays(const NcnnLayer& layer, std::int64_t count_key, std::int64_t affine_key) {
  const Wanted one = raw(at(layer, count_key));
  return at(layer, affine_key, 1) != 0 ? Arrays{one, one} : Arrays{};
}

Arrays scale_arrays(const NcnnLayer& layer) {
  constexpr std::int64_t read_from_a_blob = -233;
  if (at(layer, 0) == read_from_a_blob) return {};
  const Wanted one = raw(at(layer, 0));
  return at(layer, 1) != 0 ? Arrays{one, one} : Arrays{one};
}

struct DataRule {
  std::string_view type;
  Arrays (*arrays)(const NcnnLayer&);
  std::int64_t quantized = none;  // the key that says whether it is in integers already
};
using L = const NcnnLayer&;
constexpr std::array data_rules = {
    DataRule{"BatchNorm", [](L l) { return Arrays(4, raw(at(l, 0))); }},
    DataRule{"Bias", [](L l) { return Arrays{raw(at(l, 0))}; }},
    DataRule{"Embed",
             [](L l) {
               Arrays arrays = {tagged(at(l, 3))};
               if (at(l, 2) != 0) arrays.push_back(raw(at(l, 0)));
               return arrays;
             },
             18},
    DataRule{"Gemm", gemm_arrays, 18},
    DataRule{"GroupNorm", [](L l) { return affine_arrays(l, 1, 3); }},
    DataRule{"GRU", [](L l) { return recurrent_arrays(l, 3, 4); }, 8},
    DataRule{"InstanceNorm", [](L l) { return affine_arrays(l, 0, 2); }},
    DataRule{"LayerNorm", [](L l) { return affine_arrays(l, 0, 2); }},
    DataRule{"LSTM", [](L l) { return recurrent_arrays(l, 4, 4); }, 8},
    DataRule{"MemoryData", memory_arrays},
    DataRule{"MultiHeadAttention", attention_arrays, 18},
    DataRule{"Normalize", [](L l) { return Arrays{raw(at(l, 3))}; }},
    DataRule{"Padding", [](L l) { return at(l, 6) != 0 ? Arrays{raw(at(l, 6))} : Arrays{}; }},
    DataRule{"PReLU", [](L l) { return Arrays{raw(at(l, 0))}; }},
    DataRule{"RMSNorm", [](L l) { return at(l, 2, 1) != 0 ? Arrays{raw(at(l, 0))} : Arrays{}; }},
    DataRule{"RNN", [](L l) { return recurrent_arrays(l, 1, 1); }, 8},
    DataRule{"Scale", scale_arrays},
};

[[noreturn]] void refuse_quantized(const NcnnLayer& layer, const std::string& name) {
  throw Error(Code::unsupported,
              fmt::format("{}: layer '{}' is in integers already", name, layer.name),
              "Give the float network that pnnx made.");
}

// So many weights make so many results.
void require_product(const NcnnLayer& layer, const std::string& name) {
  const NcnnProduct product = ncnn_product(layer);
  if (product.weights == 0 || (product.outputs > 0 && product.weights % product.outputs == 0))
    return;
  throw Error(Code::model,
              fmt::format("{}: layer '{}' has {} weights for {} results", name, layer.name,
                          product.weights, product.outputs),
              "Convert the model again with pnnx.");
}

Arrays arrays_of(const NcnnLayer& layer, const std::string& name) {
  for (const std::string_view type : {"Quantize", "Dequantize", "Requantize"})
    if (layer.type == type) refuse_quantized(layer, name);
  if (const auto it = std::ranges::find(product_rules, layer.type, &ProductRule::type);
      it != product_rules.end()) {
    if (at(layer, 8) != 0) refuse_quantized(layer, name);
    require_product(layer, name);
    return product_arrays(layer);
  }
  const auto it = std::ranges::find(data_rules, layer.type, &DataRule::type);
  if (it == data_rules.end()) return {};
  if (it->quantized != none && at(layer, it->quantized) != 0) refuse_quantized(layer, name);
  return it->arrays(layer);
}

// --- Reading ---

std::uint32_t tag_of(std::string_view data) {
  std::uint32_t tag = 0;
  std::memcpy(&tag, data.data(), sizeof(tag));
  return tag;
}

class Reader {
 public:
  Reader(std::string_view data, const std::string& name)
      : rest_(data), size_(data.size()), name_(name) {}

  NcnnArray next(const NcnnLayer& layer, const Wanted& wanted) {
    if (wanted.count < 0 || wanted.count > std::numeric_limits<std::int32_t>::max())
      fail(fmt::format("layer '{}' asks for {} weights", layer.name, wanted.count));
    const auto count = static_cast<std::size_t>(wanted.count);
    if (!wanted.tagged) return {take(layer, 4 * count), wanted.count, NcnnType::raw};
    if (rest_.size() < 4) end_within(layer);
    switch (tag_of(rest_)) {
      case tag_f32:
      case tag_f32_scaled:
        return {take(layer, 4 + 4 * count), wanted.count, NcnnType::f32};
      case tag_f16:
        return {take(layer, 4 + aligned(2 * count)), wanted.count, NcnnType::f16};
      case tag_int8:
        refuse_quantized(layer, name_);
      default:
        fail(fmt::format("no weights begin at byte {}, where those of layer '{}' should",
                         size_ - rest_.size(), layer.name));
    }
  }

  void require_end() const {
    if (!rest_.empty())
      fail(fmt::format("holds {} bytes more than the layers have weights", rest_.size()));
  }

 private:
  std::string_view take(const NcnnLayer& layer, std::size_t bytes) {
    if (rest_.size() < bytes) end_within(layer);
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  [[noreturn]] void end_within(const NcnnLayer& layer) const {
    fail(fmt::format("ends within the weights of layer '{}', after {} bytes", layer.name, size_));
  }
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(Code::model, fmt::format("{}: {}", name_, reason),
                "Give the .bin that was made with this .param, whole.");
  }

  std::string_view rest_;
  std::size_t size_;
  const std::string& name_;
};

template <typename T>
void append(std::string& bytes, const T* values, std::size_t count) {
  bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

}  // namespace

std::vector<std::vector<NcnnArray>> ncnn_arrays(const NcnnGraph& graph, std::string_view data,
                                                const std::string& name) {
  Reader reader(data, name);
  std::vector<std::vector<NcnnArray>> all;
  for (const NcnnLayer& layer : graph.layers) {
    all.emplace_back();
    for (const Wanted& wanted : arrays_of(layer, name))
      all.back().push_back(reader.next(layer, wanted));
  }
  reader.require_end();
  return all;
}

std::vector<float> ncnn_floats(const NcnnArray& array) {
  std::vector<float> values(static_cast<std::size_t>(array.count));
  const char* data = array.bytes.data() + (array.type == NcnnType::raw ? 0 : 4);
  if (array.type != NcnnType::f16) {
    std::memcpy(values.data(), data, 4 * values.size());
    return values;
  }
  for (float& value : values) {
    Half half;
    std::memcpy(&half.bits, data, sizeof(half.bits));
    value = half;
    data += sizeof(half.bits);
  }
  return values;
}

std::string ncnn_bytes(const std::vector<float>& values, NcnnType type) {
  std::string bytes;
  if (type != NcnnType::raw) {
    const std::uint32_t tag = type == NcnnType::f16 ? tag_f16 : tag_f32;
    append(bytes, &tag, 1);
  }
  if (type != NcnnType::f16) {
    append(bytes, values.data(), values.size());
    return bytes;
  }
  for (const float value : values) {
    const std::uint16_t bits = Half(value).bits;
    append(bytes, &bits, 1);
  }
  bytes.resize(aligned(bytes.size()), '\0');
  return bytes;
}

std::string ncnn_bytes(const std::vector<std::int8_t>& codes) {
  std::string bytes;
  append(bytes, &tag_int8, 1);
  append(bytes, codes.data(), codes.size());
  bytes.resize(aligned(bytes.size()), '\0');
  return bytes;
}

NcnnProduct ncnn_product(const NcnnLayer& layer) {
  const auto rule = std::ranges::find(product_rules, layer.type, &ProductRule::type);
  if (rule == product_rules.end() || (rule->dynamic != none && at(layer, rule->dynamic) != 0))
    return {};
  return {.weights = at(layer, rule->weights),
          .outputs = at(layer, 0),
          .groups = rule->groups == none ? 1 : at(layer, rule->groups, 1),
          .bias_key = rule->bias,
          .bias = at(layer, rule->bias) != 0};
}

}  // namespace intaglio
