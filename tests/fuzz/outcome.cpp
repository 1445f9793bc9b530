#include "tests/fuzz/outcome.h"

#include <fmt/format.h>

#include <fstream>

#include "apps/pipeline/execution.h"
#include "apps/pipeline/load.h"
#include "apps/pipeline/quantize.h"
#include "lib/base/configs.h"
#include "lib/check/check.h"
#include "lib/exec/executor.h"
#include "lib/exec/infer.h"
#include "lib/graph/codec.h"

namespace intaglio::testing {
namespace {

void save(const google::protobuf::Message& message, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  message.SerializeToOstream(&file);
}

std::vector<Tensor> tensors(const std::vector<onnx::TensorProto>& feeds) {
  std::vector<Tensor> result;
  for (const auto& feed : feeds)
    result.push_back(tensor_of(std::make_shared<onnx::TensorProto>(feed)));
  return result;
}

void run(Model model, const std::vector<onnx::TensorProto>& feeds) {
  inline_functions(model);
  prepare_to_run(model);
  const Execution execution(model, Arithmetic::integer);
  const Executor executor(execution.graph(), execution.options());
  executor.run(tensors(feeds));
}

void quantize_as(OutputForm form, const onnx::ModelProto& model,
                 const std::vector<onnx::TensorProto>& feeds, const std::filesystem::path& folder) {
  save(model, folder / "model.onnx");
  const auto data = folder / "data";
  std::filesystem::create_directories(data);
  for (std::size_t i = 0; i < feeds.size(); ++i)
    save(feeds[i], data / fmt::format("input_{}.pb", i));
  QuantizeSpec spec;
  spec.model = (folder / "model.onnx").string();
  spec.output = (folder / "output.onnx").string();
  spec.quant.form.form = form;
  if (spec.quant.form.calibrated()) spec.data.data = {data.string()};
  spec.eval_limit = 1;
  Context context;
  context.threads = 1;
  quantize(spec, context);
}

void go(const onnx::ModelProto& model, const std::vector<onnx::TensorProto>& feeds, Way way,
        const std::filesystem::path& folder) {
  switch (way) {
    case Way::inspect:
      return require_valid(from_proto(onnx::ModelProto(model)));
    case Way::run: {
      Model loaded = from_proto(onnx::ModelProto(model));
      require_valid(loaded);
      return run(std::move(loaded), feeds);
    }
    case Way::check: {
      const Model loaded = from_proto(onnx::ModelProto(model));
      require_valid(loaded);
      check_model(loaded, read_target(find_config(ConfigKind::target, "onnxruntime")));
      return;
    }
    case Way::qdq:
      return quantize_as(OutputForm::qdq, model, feeds, folder);
    case Way::qoperator:
      return quantize_as(OutputForm::qoperator, model, feeds, folder);
    case Way::dynamic:
      return quantize_as(OutputForm::dynamic, model, feeds, folder);
    case Way::weights:
      return quantize_as(OutputForm::weights, model, feeds, folder);
  }
}

}  // namespace

std::string name_of(Way way) {
  constexpr const char* names[] = {"inspect",   "run",     "check",  "quantize --format qdq",
                                   "qoperator", "dynamic", "weights"};
  return names[static_cast<int>(way)];
}

Outcome outcome_of(const onnx::ModelProto& model, const std::vector<onnx::TensorProto>& feeds,
                   Way way, const std::filesystem::path& folder) {
  try {
    go(model, feeds, way, folder);
    return {};
  } catch (const Error& e) {
    return {true, e.code() == Code::internal, e.what()};
  } catch (const std::exception& e) {
    return {true, true, std::string("an exception that is no Error: ") + e.what()};
  }
}

}  // namespace intaglio::testing
