// What the program does with a model, in this process: no signal, no error but those of the user's
// making.
#pragma once

#include <onnx/onnx_pb.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace intaglio::testing {

enum class Way { inspect, run, check, qdq, qoperator, dynamic, weights };
inline constexpr std::array all_ways = {Way::inspect,   Way::run,     Way::check,  Way::qdq,
                                        Way::qoperator, Way::dynamic, Way::weights};
std::string name_of(Way way);

struct Outcome {
  bool refused = false;
  bool ours = false;   // a bug: Code::internal, or an exception that is no Error
  std::string reason;  // of a refusal
};

// folder: for the files of the ways that quantize.
Outcome outcome_of(const onnx::ModelProto& model, const std::vector<onnx::TensorProto>& feeds,
                   Way way, const std::filesystem::path& folder);

}  // namespace intaglio::testing
