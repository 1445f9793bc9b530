// What data must know about a model input.
#pragma once

#include <optional>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

struct FeedType {
  std::string name;
  DType dtype = DType::undefined;  // undefined: takes any
  std::optional<Dims> dims;        // nullopt: rank not known

  FeedType(std::string n, DType t, std::optional<Dims> d)
      : name(std::move(n)), dtype(t), dims(std::move(d)) {}
  explicit FeedType(const Value& value) : FeedType(value.name(), value.dtype(), value.dims()) {}

  int rank() const { return dims ? static_cast<int>(dims->size()) : -1; }
  // "input 'x' [N,3,224,224]", for messages
  std::string text() const { return "input '" + name + "' " + (dims ? to_string(*dims) : "[...]"); }
};

}  // namespace intaglio
