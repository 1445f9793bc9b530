// Models that mutations begin from, with what they are fed.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <string>
#include <vector>

namespace intaglio::testing {

struct Seed {
  std::string name;
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> feeds;  // one for each graph input that is no constant
};

// Small networks of our own: what the kinds of operators look like in real ones.
std::vector<Seed> own_seeds();

// The folders in one, sorted.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

// Whether INTAGLIO_SWEEP=all asks for every case in place of the suite's share.
bool sweeps_all();

// A folder with model.onnx and test_data_set_0, as the onnx project has them. Nothing when the
// model is larger than 6 kB, is fed with anything but tensors, or cannot be read.
std::vector<Seed> seed_in(const std::filesystem::path& folder);

// The same with all inputs but the first as constants.
Seed with_constants(const Seed& seed);

// The same with the first float input behind a product with weights, so that there is something to
// quantize; no model when it has no float input of one axis or more.
Seed behind_matmul(const Seed& seed);

// The same with one more output that is computed from the shape of the last one.
Seed with_shapes_of_results(const Seed& seed);

// The same without the first of several outputs of its last node: layers that give their last state
// alone, indices alone. No model when there is but one.
Seed without_first_output(const Seed& seed);

}  // namespace intaglio::testing
