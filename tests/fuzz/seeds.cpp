#include "tests/fuzz/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lib/graph/codec.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using onnx::TensorProto;

constexpr std::size_t largest_seed = 6000;  // bytes

// All inputs but the first are weights.
struct Net {
  const char* name;
  int opset;
  const char* graph;
};

constexpr Net nets[] = {
    {"conv", 13,
     "(float[1,2,6,6] x, float[4,2,3,3] w, float[4] b) => (float[1,4,3,3] y) { c = Conv "
     "<kernel_shape = [3,3], pads = [1,1,1,1], strides = [2,2]> (x, w, b)   y = Relu(c) }"},
    {"depthwise", 13,
     "(float[1,16,6,6] x, float[16,1,3,3] w) => (float[1,16,6,6] y) { c = Conv <group = 16, pads = "
     "[1,1,1,1], dilations = [1,1]> (x, w)   y = LeakyRelu <alpha = 0.1> (c) }"},
    {"transposed", 13,
     "(float[1,2,4,4] x, float[2,3,2,2] w) => (y) { y = ConvTranspose <strides = [2,2], "
     "output_padding = [0,0]> (x, w) }"},
    {"pools", 13,
     "(float[1,2,8,8] x, float[2,2,1,1] w) => (float[1,2] y) { c = Conv(x, w) m = MaxPool "
     "<kernel_shape = [2,2], strides = [2,2]> (c)   a = AveragePool <kernel_shape = [3,3], pads = "
     "[1,1,1,1], count_include_pad = 1> (m)   g = GlobalAveragePool(a) y = Flatten <axis = 1> (g) "
     "}"},
    {"gemm", 13,
     "(float[2,4] x, float[4,3] w, float[3] b) => (float[2,3] y) { y = Gemm <alpha = 0.5, beta = "
     "2.0, transB = 0> (x, w, b) }"},
    {"normalized", 14,
     "(float[1,2,4,4] x, float[2,2,1,1] w, float[2] s, float[2] b, float[2] m, float[2] v) => (y) "
     "{ c = Conv(x, w) y = BatchNormalization <epsilon = 0.001> (c, s, b, m, v) }"},
    {"layers", 17,
     "(float[2,4] x, float[4,4] w, float[4] s, float[4] b) => (y) { p = MatMul(x, w) n = "
     "LayerNormalization <axis = -1> (p, s, b) q = MatMul(n, w)   y = Softmax <axis = -1> (q) }"},
    {"reshaped", 13,
     "(float[N,4] x, float[4,6] w) => (y) <int64[3] to = {0, 2, 3}, int64[1] one = {1}> { p = "
     "MatMul(x, w) r = Reshape(p, to) t = Transpose <perm = [0,2,1]> (r)   u = Unsqueeze(t, one) y "
     "= Squeeze(u, one) }"},
    {"cut", 13,
     "(float[2,8] x, float[8,8] w) => (y, z) <int64[1] a = {0}, int64[1] e = {4}, int64[1] k = "
     "{1}, int64[2] parts = {3, 5}> { p = MatMul(x, w) s = Slice(p, a, e, k) f, g = Split <axis = "
     "1> (p, parts)   y = Concat <axis = 1> (s, f) z = Gather <axis = 1> (g, a) }"},
    {"padded", 13,
     "(float[1,2,4,4] x, float[2,2,1,1] w, float[4] scales) => (y) <int64[8] pads = "
     "{0,0,1,1,0,0,1,1}> { c = Conv(x, w) p = Pad <mode = \"reflect\"> (c, pads)   y = Resize "
     "<mode = \"nearest\"> (p, , scales) }"},
    {"lstm", 14,
     "(float[3,1,4] x, float[4,4] m, float[1,8,4] w, float[1,8,2] r, float[1,16] b) => (y, h) { p "
     "= MatMul(x, m) y, h = LSTM <hidden_size = 2, direction = \"forward\"> (p, w, r, b) }"},
    {"gru", 14,
     "(float[3,1,4] x, float[4,4] m, float[1,6,4] w, float[1,6,2] r) => (h) { p = MatMul(x, m)  e, "
     "h = GRU <hidden_size = 2> (p, w, r) }"},
    {"joined", 13,
     "(float[1,2,4,4] x, float[2,2,1,1] v, float[3,2,1,1] w) => (y) { a = Conv(x, v) b = Conv(x, "
     "w) c = Concat <axis = 1> (a, b) d = Sigmoid(c) y = Mul(c, d) }"},
    {"reduced", 13,
     "(float[2,3,4] x, float[4,4] w) => (y, i) <int64[1] axes = {1}, int64[1] k = {2}> { p = "
     "MatMul(x, w) m = ReduceMean <axes = [1], keepdims = 0> (p)   s = ReduceSum <keepdims = 1> "
     "(p, axes) y, i = TopK <axis = -1> (m, k) }"},
    {"pairs", 13,
     "(float[1,4] x, int8[4,4] w, float[4] ws, int8[4] wz) => (y) <float s = {0.5}, uint8 z = {3}> "
     "{ q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)   v = DequantizeLinear <axis = "
     "1> (w, ws, wz) m = MatMul(d, v)   r = QuantizeLinear(m, s, z) y = DequantizeLinear(r, s, z) "
     "}"},
    {"branches", 13,
     "(float[2,4] x, bool c, float[4,4] w) => (y) { p = MatMul(x, w) y = If (c) < then_branch = a "
     "() => (float[2,4] u) { u = Relu(p) }, else_branch = b () => (float[2,4] v) { v = Neg(p) } > "
     "}"},
};

TensorProto tensor_for(const onnx::ValueInfoProto& info) {
  TensorProto tensor;
  tensor.set_name(info.name());
  const auto& type = info.type().tensor_type();
  tensor.set_data_type(type.elem_type());
  std::int64_t count = 1;
  for (const auto& dim : type.shape().dim()) {
    tensor.add_dims(dim.has_dim_value() ? dim.dim_value() : 2);
    count *= tensor.dims(tensor.dims_size() - 1);
  }
  std::string* raw = tensor.mutable_raw_data();
  if (type.elem_type() == TensorProto::BOOL || type.elem_type() == TensorProto::INT8)
    raw->assign(static_cast<std::size_t>(count), '\1');
  if (type.elem_type() == TensorProto::FLOAT)
    for (std::int64_t i = 0; i < count; ++i) {
      const float v = static_cast<float>(i % 7) / 4 + 0.25f;
      raw->append(reinterpret_cast<const char*>(&v), sizeof v);
    }
  return tensor;
}

bool is_constant(const onnx::GraphProto& graph, const std::string& name) {
  return std::ranges::any_of(graph.initializer(),
                             [&](const TensorProto& t) { return t.name() == name; });
}

bool parse(const std::filesystem::path& path, google::protobuf::Message& message) {
  std::ifstream file(path, std::ios::binary);
  return file && message.ParseFromIstream(&file);
}

}  // namespace

std::vector<Seed> own_seeds() {
  std::vector<Seed> seeds;
  for (const Net& net : nets) {
    const Model model = TextModel().opset(net.opset).model(net.graph);
    Seed seed{net.name, to_proto(model), {}};
    for (const auto& input : seed.model.graph().input()) seed.feeds.push_back(tensor_for(input));
    seeds.push_back(with_constants(seed));
    seeds.back().name = net.name;
    if (seeds.back().name == "gru")
      seeds.back().model.mutable_graph()->mutable_node(1)->set_output(0, "");
  }
  return seeds;
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    folders.push_back(entry.path());
  std::ranges::sort(folders);
  return folders;
}

bool sweeps_all() {
  const char* asked = std::getenv("INTAGLIO_SWEEP");
  return asked != nullptr && std::string_view(asked) == "all";
}

std::vector<Seed> seed_in(const std::filesystem::path& folder) {
  Seed seed;
  seed.name = folder.filename().string();
  std::error_code error;
  if (std::filesystem::file_size(folder / "model.onnx", error) > largest_seed || error) return {};
  if (!parse(folder / "model.onnx", seed.model)) return {};
  int number = 0;
  for (const auto& input : seed.model.graph().input()) {
    if (!input.type().has_tensor_type()) return {};
    if (is_constant(seed.model.graph(), input.name())) continue;
    TensorProto tensor;
    const auto file = folder / "test_data_set_0" / fmt::format("input_{}.pb", number++);
    if (!parse(file, tensor)) return {};
    tensor.set_name(input.name());
    seed.feeds.push_back(std::move(tensor));
  }
  return {std::move(seed)};
}

Seed with_constants(const Seed& seed) {
  Seed result = seed;
  result.name += " with constants";
  onnx::GraphProto& graph = *result.model.mutable_graph();
  while (result.feeds.size() > 1) {
    const std::string name = result.feeds.back().name();
    *graph.add_initializer() = result.feeds.back();
    result.feeds.pop_back();
    auto& inputs = *graph.mutable_input();
    for (int i = inputs.size() - 1; i >= 0; --i)
      if (inputs[i].name() == name) inputs.DeleteSubrange(i, 1);
  }
  return result;
}

Seed behind_matmul(const Seed& seed) {
  Seed result = seed;
  result.name += " behind a MatMul";
  onnx::GraphProto& graph = *result.model.mutable_graph();
  const auto feed = std::ranges::find_if(result.feeds, [](const TensorProto& t) {
    return t.data_type() == TensorProto::FLOAT && t.dims_size() > 0;
  });
  if (feed == result.feeds.end()) return {};
  const std::int64_t length = feed->dims(feed->dims_size() - 1);
  if (length < 1 || length > 256) return {};
  const std::string name = feed->name();
  feed->set_name(name + "_before");
  for (auto& input : *graph.mutable_input())
    if (input.name() == name) input.set_name(name + "_before");
  TensorProto& weights = *graph.add_initializer();
  weights.set_name(name + "_weights");
  weights.set_data_type(TensorProto::FLOAT);
  weights.add_dims(length);
  weights.add_dims(length);
  for (std::int64_t i = 0; i < length * length; ++i) {
    const float v = i % (length + 1) == 0 ? 1.0f : 0.01f * static_cast<float>(i % 5);
    weights.mutable_raw_data()->append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  onnx::NodeProto node;
  node.set_op_type("MatMul");
  node.add_input(name + "_before");
  node.add_input(name + "_weights");
  node.add_output(name);
  *graph.add_node() = node;
  for (int i = graph.node_size() - 1; i > 0; --i) graph.mutable_node()->SwapElements(i, i - 1);
  return result;
}

Seed with_shapes_of_results(const Seed& seed) {
  Seed result = seed;
  result.name += ", its shapes computed with";
  onnx::GraphProto& graph = *result.model.mutable_graph();
  if (graph.output_size() == 0 || !graph.output(0).type().has_tensor_type()) return {};
  const auto node = [&](const char* op, std::vector<std::string> inputs, const char* output) {
    onnx::NodeProto& n = *graph.add_node();
    n.set_op_type(op);
    for (const std::string& input : inputs) n.add_input(input);
    n.add_output(output);
  };
  node("Shape", {graph.output(0).name()}, "shape_of_result");
  node("ConstantOfShape", {"shape_of_result"}, "zeros_of_result");
  auto& output = *graph.add_output();
  output.set_name("zeros_of_result");
  output.mutable_type()->mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
  return result;
}

Seed without_first_output(const Seed& seed) {
  Seed result = seed;
  result.name += " without its first output";
  onnx::GraphProto& graph = *result.model.mutable_graph();
  if (graph.node_size() == 0 || graph.output_size() < 2) return {};
  onnx::NodeProto& node = *graph.mutable_node(graph.node_size() - 1);
  if (node.output_size() < 2 || node.output(0) != graph.output(0).name()) return {};
  node.set_output(0, "");
  graph.mutable_output()->DeleteSubrange(0, 1);
  return result;
}

}  // namespace intaglio::testing
