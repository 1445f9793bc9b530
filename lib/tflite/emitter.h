// Where the values of a graph are in the file, and what gives an operator a value as it wants it:
// constants in place, DEQUANTIZE where codes are read in float, TRANSPOSE where the order of axes is
// another one. Each is made once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tflite/axes.h"
#include "lib/tflite/file.h"
#include "lib/tflite/group.h"

namespace intaglio::tflite {

// A value of the graph, or its codes, in the file.
struct Stored {
  int tensor = -1;
  Perm perm;
  // Of rows that were flattened as they were stored: column i is column columns[i] of ONNX. Only
  // products take them, with their weights in the same order. Empty: as in ONNX.
  std::vector<std::size_t> columns;
};

// All lengths of a value. Throws Code::unsupported where one is not known.
Shape shape_of(const Value& value);

class Emitter {
 public:
  FileBuilder& file() { return file_; }

  void store(const Value& value, Stored stored);
  // Where an end is; of constants and of codes that are read in float, too.
  const Stored& stored(const End& end);
  // The tensor of an end in that order; with more axes than the value has, lengths of 1 stand in
  // front.
  int tensor(const End& end, const Perm& perm);

  // A constant that the operator itself reads: a float or a code with its parameters. Of codes of
  // u8: those of s8. nullopt: it is computed.
  std::optional<Tensor> constant(const End& end) const;

  // Adds the operator with the version that its types ask for.
  void emit(fb::Op op, std::vector<int> inputs, std::vector<int> outputs,
            fb::OptionsUnion options = {});
  int ints(const std::vector<std::int64_t>& values);  // an int32 vector
  int int_scalar(std::int64_t value);                 // an int32
  // A tensor like another one, of another shape.
  int like(int tensor, const Shape& shape, const std::string& suffix);
  int reshape(int from, const Shape& shape, const std::string& suffix);
  int transpose(int from, const Perm& moves, const std::string& suffix);

 private:
  int constant_tensor(const End& end, const Tensor& tensor, const Perm& perm);
  int relaid(const End& end, const Stored& stored, const Perm& perm);
  void store_dequantized(const Value& value);

  FileBuilder file_;
  std::unordered_map<const Value*, Stored> stored_;
  std::map<std::pair<const Value*, Perm>, int> relaid_;  // only looked up: no order of it shows
};

}  // namespace intaglio::tflite
