#include "lib/eval/decoders.h"

#include <fmt/format.h>

#include "lib/eval/decoders_cells.h"
#include "lib/eval/decoders_lists.h"

namespace intaglio {
namespace {

constexpr DecoderDef table[] = {
    {"nms", "boxes [N,M,4], scores and labels of the same M, suppressed by the graph", true,
     suppressed_roles, decode_suppressed},
    {"yolox", "one output [N,A,5+C] of A cells of strides 8, 16, 32", false, yolox_roles,
     decode_yolox},
    {"yolov5", "one output [N,3*A,5+C] in pixels", false, yolov5_roles, decode_yolov5},
    {"yolov8", "one output [N,4+C,A] in pixels", false, yolov8_roles, decode_yolov8},
    {"ssd", "scores [N,K,C] and corners [N,K,4]", false, ssd_roles, decode_ssd},
};

std::string known() {
  std::string text;
  for (const DecoderDef& def : table)
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", def.name, def.takes);
  return text;
}

const DecoderDef& find(std::string_view name) {
  for (const DecoderDef& def : table)
    if (def.name == name) return def;
  throw Error(Code::usage, fmt::format("`decoder` {}: no such decoder", name),
              fmt::format("Give auto, or one of: {}.", known()));
}

}  // namespace

std::span<const DecoderDef> decoders() { return table; }

void require_decoder_name(std::string_view name) {
  if (name != any_decoder) find(name);
}

Decoder choose_decoder(std::string_view name, const Signature& signature) {
  if (name != any_decoder) {
    const DecoderDef& def = find(name);
    if (auto roles = def.roles(signature, true); !roles.empty()) return {&def, std::move(roles)};
    throw Error(Code::unsupported,
                fmt::format("`decoder` {} takes {}; the model gives {}", name, def.takes,
                            to_string(signature)),
                "Give `decoder auto`, or compare by another `metric`.");
  }
  if (auto decoder = fitting_decoder(signature)) return *std::move(decoder);
  throw Error(Code::unsupported,
              fmt::format("`metric boxes`: no decoder fits the outputs {}", to_string(signature)),
              fmt::format("Name one with `decoder`, or compare by another `metric`; there are: {}.",
                          known()));
}

std::optional<Decoder> fitting_decoder(const Signature& signature) {
  for (const DecoderDef& def : table)
    if (auto roles = def.roles(signature, false); !roles.empty())
      return Decoder{&def, std::move(roles)};
  return std::nullopt;
}

std::vector<Detections> detect(const Decoder& decoder, const DetectOptions& options,
                               std::span<const Tensor> feeds, std::span<const Tensor> outputs) {
  Scene scene;
  scene.score = options.score;
  for (const Tensor& feed : feeds)
    if (const auto size = image_size(feed.shape()); size && scene.image.height == 0)
      scene.image = *size;
  for (const std::size_t role : decoder.roles)
    scene.arrays.push_back({outputs[role].shape(), outputs[role].to_vector<float>()});
  const Shape& first = scene.arrays.front().shape;
  const std::int64_t items = first.size() == 3 ? first[0] : 1;
  std::vector<Detections> images;
  for (; scene.item < items; ++scene.item) {
    Detections detections = decoder.def->decode(scene);
    images.push_back(decoder.def->suppressed ? std::move(detections)
                                             : suppress(std::move(detections), options.nms));
  }
  return images;
}

namespace {

// The first score that is no probability.
std::optional<float> odd_score(const Decoder& decoder, std::span<const Tensor> outputs) {
  constexpr float slack = 0.01f;  // of rounding
  if (decoder.def->decode != decode_ssd) return std::nullopt;
  for (const float v : outputs[decoder.roles[scores_role]].to_vector<float>())
    if (v < -slack || v > 1 + slack) return v;
  return std::nullopt;
}

}  // namespace

bool holds_probabilities(const Decoder& decoder, std::span<const Tensor> outputs) {
  return !odd_score(decoder, outputs);
}

void require_probabilities(const Decoder& decoder, const Signature& signature,
                           std::span<const Tensor> outputs) {
  if (const auto v = odd_score(decoder, outputs))
    throw Error(
        Code::unsupported,
        fmt::format("`decoder ssd` takes probabilities; output {} of the reference holds {}",
                    to_string(signature.outputs[decoder.roles[scores_role]]), *v),
        "Compare by another `metric`, or append a Softmax to both models.");
}

}  // namespace intaglio
