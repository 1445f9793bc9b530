#include "lib/tflite/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/exec/infer.h"
#include "lib/passes/fix_shapes.h"
#include "lib/passes/list.h"
#include "lib/tflite/op_table.h"

namespace intaglio {
namespace tflite {
namespace {

// --- Shapes

void require_lengths(const Value& feed) {
  if (!feed.dims())
    throw Error(Code::unsupported,
                fmt::format("TFLite: input '{}': its rank is not known", feed.name()),
                "Export the model with fixed lengths of all inputs but for the batch.");
  const Dims& dims = *feed.dims();
  for (std::size_t axis = 1; axis < dims.size(); ++axis)
    if (!dims[axis].known())
      throw Error(Code::unsupported,
                  fmt::format("TFLite: input '{}': the length of axis {} in {} is open",
                              feed.name(), axis, to_string(dims)),
                  "Export the model with fixed lengths of all inputs but for the batch.");
}

// An open batch is one of 1.
void fix_lengths(Model& model) {
  for (const Value* feed : model.graph().feeds()) require_lengths(*feed);
  fix_shapes(model, {.batch = 1, .shapes = {}});
  infer_types(model);
  fold_constants(model, {});
  drop_dead(model, {});
  infer_types(model);
}

// --- Inputs

// Whether operators of images read the value, through others that take it in any order.
bool feeds_images(const Value& value, std::set<const Value*>& seen) {
  if (!seen.insert(&value).second) return false;
  return std::ranges::any_of(value.uses(), [&](const Use& use) {
    const Node& node = *use.node;
    const bool pair = node.is("QuantizeLinear") || node.is("DequantizeLinear");
    const OpRow* row = find_row(node);
    if (!pair && (row == nullptr || row->order == Order::given)) return false;
    if (!pair && row->order == Order::images) return use.index == 0;
    return std::ranges::any_of(node.outputs(), [&](const Value* output) {
      return output != nullptr && output->rank() == value.rank() && feeds_images(*output, seen);
    });
  });
}

QParams unsigned_params(QParams params) {
  params.type = DType::u8;
  for (std::int32_t& zero : params.zero_point) zero += 128;
  return params;
}

class Writer {
 public:
  explicit Writer(const Model& model) : model_(model.clone()) { fix_lengths(model_); }

  TfliteFile run() {
    const Graph& graph = model_.graph();
    for (const Value* feed : graph.feeds()) add_input(*feed);
    for (const Node* node : graph.nodes())
      if (!taken_.contains(node)) add(*node);
    for (const Value* output : graph.outputs()) add_output(*output);
    count();
    file_.bytes = emitter_.file().finish(inputs_, outputs_, model_.metadata());
    return std::move(file_);
  }

 private:
  void add_input(const Value& feed) {
    const Shape shape = shape_of(feed);
    std::set<const Value*> seen;
    const bool images = shape.size() == 4 && feeds_images(feed, seen);
    const Perm perm = images ? channels_last(4) : in_order(shape.size());
    const bool codes = feed.dtype() == DType::s8 || feed.dtype() == DType::u8;
    const auto params = codes ? code_params(feed) : std::nullopt;
    TensorSpec spec{feed.name(), feed.dtype(), permuted(shape, perm), params};
    const bool convert = params && feed.dtype() == DType::u8;
    if (convert) spec.params = unsigned_params(*params);
    int tensor = emitter_.file().add_tensor(spec);
    inputs_.push_back({feed.name(), tensor});
    file_.inputs.push_back({spec.name, spec.type, spec.shape, spec.params, images});
    if (convert) {
      const int to =
          emitter_.file().add_tensor({feed.name() + "_signed", DType::s8, spec.shape, params});
      emitter_.emit(fb::Op::QUANTIZE, {tensor}, {to});
      tensor = to;
    }
    emitter_.store(feed, {tensor, perm, {}});
  }

  void add(const Node& node) {
    if (node.is("DequantizeLinear")) return;  // where it is read
    if (node.is("QuantizeLinear")) return quantize(node);
    const OpRow* row = find_row(node);
    if (row == nullptr)
      throw Error(Code::unsupported,
                  fmt::format("TFLite: {}: there is no operator for it that this program writes",
                              node.label()),
                  "Export the model without it; `format` qdq keeps it.");
    Group group = group_of(node, row->operands, row->fuses);
    if (group.integer && row->float_because != nullptr)
      if (const std::string why = row->float_because(group); !why.empty())
        group = float_group(node, why);
    if (!group.integer && computes(node))
      file_.in_float.push_back({node.label(), group.why_float.empty()
                                                  ? "nothing around it is quantized"
                                                  : group.why_float});
    taken_.insert(group.taken.begin(), group.taken.end());
    images_ = images_ || row->order == Order::images;
    Site site(emitter_, group);
    row->lower(site);
    site.finish();
  }

  // What moves floats is no arithmetic.
  static bool computes(const Node& node) {
    const OpTraits& traits = traits_of(node);
    return node.output(0) != nullptr && is_float(node.output(0)->dtype()) && !traits.moves &&
           !traits.relabels && !traits.joins;
  }

  // Floats, or codes with other parameters, become codes.
  void quantize(const Node& node) {
    const Value& real = *node.input(0);
    const Value& codes = *node.output(0);
    const Node* maker = real.producer();
    const auto params = params_of(node);
    End end{&real, std::nullopt};
    if (maker != nullptr && maker->is("DequantizeLinear") && params_of(*maker))
      end = {maker->input(0), params_of(*maker)};
    const Stored from = emitter_.stored(end);
    if (end.params == params) return emitter_.store(codes, from);
    const int to = emitter_.file().add_tensor(
        {codes.name(), DType::s8, emitter_.file().spec(from.tensor).shape, params});
    emitter_.emit(fb::Op::QUANTIZE, {from.tensor}, {to});
    emitter_.store(codes, {to, from.perm, from.columns});
  }

  void add_output(const Value& output) {
    FileBuilder& file = emitter_.file();
    const bool codes = output.dtype() == DType::s8 || output.dtype() == DType::u8;
    const End end{&output, codes ? code_params(output) : std::nullopt};
    const std::size_t rank = shape_of(output).size();
    const Perm perm = emitter_.stored(end).perm;
    const bool images = images_ && rank == 4 && perm == channels_last(4);
    int tensor = emitter_.tensor(end, images ? perm : in_order(rank));
    if (end.params && output.dtype() == DType::u8) {
      const int to = file.add_tensor(
          {output.name(), DType::u8, file.spec(tensor).shape, unsigned_params(*end.params)});
      emitter_.emit(fb::Op::QUANTIZE, {tensor}, {to});
      tensor = to;
    }
    const auto is_it = [&](const PortSpec& port) { return port.tensor == tensor; };
    if (file.is_constant(tensor) || std::ranges::any_of(inputs_, is_it) ||
        std::ranges::any_of(outputs_, is_it))
      tensor = emitter_.reshape(tensor, file.spec(tensor).shape, "_copy");
    file.rename(tensor, output.name());
    outputs_.push_back({output.name(), tensor});
    const TensorSpec& spec = file.spec(tensor);
    file_.outputs.push_back({spec.name, spec.type, spec.shape, spec.params, images});
  }

  void count() {
    const FileBuilder& file = emitter_.file();
    for (const FileBuilder::Operator& op : file.operators()) {
      ++file_.operators;
      const bool converts = op.op == fb::Op::QUANTIZE || op.op == fb::Op::DEQUANTIZE;
      file_.conversions += converts ? 1 : 0;
      file_.transposes += op.op == fb::Op::TRANSPOSE ? 1 : 0;
      const auto is_codes = [&](int t) { return t >= 0 && file.spec(t).type == DType::s8; };
      file_.on_codes += !converts && std::ranges::any_of(op.outputs, is_codes) ? 1 : 0;
    }
  }

  Model model_;
  Emitter emitter_;
  std::set<const Node*> taken_;
  bool images_ = false;  // there are operators of images
  std::vector<PortSpec> inputs_, outputs_;
  TfliteFile file_;
};

}  // namespace
}  // namespace tflite

TfliteFile tflite_file(const Model& model) { return tflite::Writer(model).run(); }

}  // namespace intaglio
