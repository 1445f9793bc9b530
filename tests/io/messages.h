// What the tests of lib/io share: messages, files and how two models are compared.
#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio::testing {

inline onnx::ModelProto parsed(const std::filesystem::path& path) {
  onnx::ModelProto message;
  EXPECT_TRUE(message.ParseFromString(read_file(path))) << path;
  return message;
}

// Puts the nodes of all graphs into an order that depends on their contents alone.
inline void sort_nodes(onnx::GraphProto& graph) {
  std::vector<std::pair<std::string, onnx::NodeProto>> nodes;
  for (auto& node : *graph.mutable_node()) {
    for (auto& attr : *node.mutable_attribute())
      if (attr.has_g()) sort_nodes(*attr.mutable_g());
    nodes.emplace_back(node.SerializeAsString(), node);
  }
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  graph.clear_node();
  for (auto& node : nodes) *graph.add_node() = std::move(node.second);
}

// Equal but for the order of the nodes, unknown fields included.
inline bool equal_models(onnx::ModelProto a, onnx::ModelProto b) {
  sort_nodes(*a.mutable_graph());
  sort_nodes(*b.mutable_graph());
  return a.SerializeAsString() == b.SerializeAsString();
}

// "<name of the code>: <message>" of the Error that f throws; empty when it throws none.
template <typename F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return (e.code() == Code::model         ? "model: "
            : e.code() == Code::io          ? "io: "
            : e.code() == Code::data        ? "data: "
            : e.code() == Code::unsupported ? "unsupported: "
                                            : "other: ") +
           std::string(e.what());
  }
  return {};
}

}  // namespace intaglio::testing
