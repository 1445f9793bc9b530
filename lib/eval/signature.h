// What a model takes and gives for one sample: by this, metrics and decoders are chosen.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

struct OutputType {
  std::string name;
  DType dtype = DType::undefined;
  Shape shape;
  bool softmax = false;  // the graph ends in one there: probabilities
};
std::string to_string(const OutputType& output);  // "'scores' [1,4420,2]"

// What a model of tokens is fed.
struct TokenSignature {
  std::size_t ids = 0;                   // the feed of token ids
  std::optional<std::size_t> mask = {};  // that of the mask of their shape
  std::string name;                      // of the ids
  Shape shape;                           // of the ids
  std::int64_t vocabulary = -1;          // rows of the table that they choose from; -1: not known
};

struct Signature {
  Shape image;  // of the first input of rank 4; empty: there is none
  std::vector<OutputType> outputs;
  bool suppresses = false;  // a NonMaxSuppression node, or a custom NMS, is in the graph
  bool tokens = false;      // it takes integers with an axis of unknown length, or a long one
  std::optional<TokenSignature> token_ids = {};  // where one input of them stands out
};
std::string to_string(const Signature& signature);  // all outputs

// Of what the graph declares, batches of unknown length counted as 1; nullopt when it leaves other
// lengths open.
std::optional<Signature> signature_of(const Graph& graph);
// Of a run.
Signature signature_of(const Graph& graph, std::span<const Tensor> feeds,
                       std::span<const Tensor> outputs);

// Height and width of the image: the axis of 1, 3 or 4 channels is the second or the last one.
struct ImageSize {
  std::int64_t height = 0, width = 0;
};
std::optional<ImageSize> image_size(const Shape& image);

}  // namespace intaglio
