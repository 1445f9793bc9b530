// Every small way to break a model, numbered: of each node its attributes (values out of bounds,
// lengths, kinds, absence, repetition), inputs, outputs and operator; of each constant its shape,
// type and values; types and shapes that the model states; versions and names.
//
// The list depends on the model alone, so that a number and a seed tell a case.
#pragma once

#include <onnx/onnx_pb.h>

#include <functional>
#include <string>
#include <vector>

namespace intaglio::testing {

struct Mutation {
  std::string name;  // "node 2 (Conv): strides = -1"
  std::function<void(onnx::ModelProto&)> apply;
};

std::vector<Mutation> mutations_of(const onnx::ModelProto& seed);

}  // namespace intaglio::testing
