#include "lib/eval/signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/graph/index_bounds.h"
#include "lib/graph/token_feeds.h"

namespace intaglio {
namespace {

bool suppresses(const Graph& graph) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
    return node->op() == "NonMaxSuppression" || node->op().find("NMS") != std::string::npos;
  });
}

bool takes_tokens(const Graph& graph) {
  return std::ranges::any_of(graph.feeds(), [](const Value* feed) { return holds_ids(*feed); });
}

// shapes: of all feeds.
std::optional<TokenSignature> token_signature(const Graph& graph, std::span<const Shape> shapes) {
  const std::vector<Value*> feeds = graph.feeds();
  const auto ids = token_ids(feeds);
  if (!ids || *ids >= shapes.size()) return std::nullopt;
  TokenSignature signature{.ids = *ids, .name = feeds[*ids]->name(), .shape = shapes[*ids]};
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (token_feed(*feeds[i]) == TokenFeed::mask && shapes[i] == signature.shape)
      signature.mask = i;
  for (const IndexBound& bound : index_bounds(feeds))
    if (bound.feed == *ids) signature.vocabulary = bound.length;
  return signature;
}

// Through what only moves values.
bool ends_in_softmax(const Value& output) {
  const Node* node = output.producer();
  while (node != nullptr &&
         (node->op() == "Transpose" || node->op() == "Reshape" || node->op() == "Identity" ||
          node->op() == "DequantizeLinear" || node->op() == "QuantizeLinear"))
    node = node->input(0) != nullptr ? node->input(0)->producer() : nullptr;
  return node != nullptr && (node->op() == "Softmax" || node->op() == "LogSoftmax");
}

std::optional<Shape> declared(const Value& value) {
  if (!value.dims()) return std::nullopt;
  Shape shape;
  for (const Dim& dim : *value.dims()) {
    if (!dim.known() && !shape.empty()) return std::nullopt;
    shape.push_back(dim.known() ? dim.value : 1);
  }
  return shape;
}

bool is_channels(std::int64_t length) { return length == 1 || length == 3 || length == 4; }

}  // namespace

std::string to_string(const OutputType& output) {
  return fmt::format("'{}' {}", output.name, to_string(output.shape));
}

std::string to_string(const Signature& signature) {
  std::vector<std::string> parts;
  for (const OutputType& output : signature.outputs) parts.push_back(to_string(output));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::optional<Signature> signature_of(const Graph& graph) {
  Signature signature;
  signature.suppresses = suppresses(graph);
  signature.tokens = takes_tokens(graph);
  std::vector<Shape> shapes;
  for (const Value* feed : graph.feeds()) {
    const auto shape = declared(*feed);
    if (!shape) return std::nullopt;
    shapes.push_back(*shape);
    if (shape->size() == 4 && signature.image.empty()) signature.image = *shape;
  }
  signature.token_ids = token_signature(graph, shapes);
  for (const Value* output : graph.outputs()) {
    const auto shape = declared(*output);
    if (!shape) return std::nullopt;
    signature.outputs.push_back(
        {output->name(), output->dtype(), *shape, ends_in_softmax(*output)});
  }
  return signature;
}

Signature signature_of(const Graph& graph, std::span<const Tensor> feeds,
                       std::span<const Tensor> outputs) {
  Signature signature;
  signature.suppresses = suppresses(graph);
  signature.tokens = takes_tokens(graph);
  std::vector<Shape> shapes;
  for (const Tensor& feed : feeds) {
    shapes.push_back(feed.shape());
    const bool some = feed.size() > 0;  // a past may be empty
    if (some && feed.rank() == 4 && signature.image.empty()) signature.image = feed.shape();
  }
  signature.token_ids = token_signature(graph, shapes);
  for (std::size_t o = 0; o < outputs.size(); ++o)
    signature.outputs.push_back({graph.outputs()[o]->name(), outputs[o].dtype(), outputs[o].shape(),
                                 ends_in_softmax(*graph.outputs()[o])});
  return signature;
}

std::optional<ImageSize> image_size(const Shape& image) {
  if (image.size() != 4 || std::ranges::count(image, 0) > 0) return std::nullopt;
  if (is_channels(image[1])) return ImageSize{image[2], image[3]};
  if (is_channels(image[3])) return ImageSize{image[1], image[2]};
  return std::nullopt;
}

}  // namespace intaglio
