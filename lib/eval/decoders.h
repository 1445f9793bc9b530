// From the outputs of a detector to boxes: the small built-in decoders.
//
// - "yolox": one output [N,A,5+C] of the cells of grids with strides 8, 16, 32 (and 64): centre
//   (cell + t) * stride, size exp(t) * stride, objectness, classes (Ge et al. 2021, section 2.1; as
//   exported without decoding).
// - "yolov5": one output [N,3*A,5+C]: centre and size in pixels, objectness, classes. By name also
//   for [N,A,5+C] that the graph has decoded itself.
// - "yolov8": one output [N,4+C,A]: centre and size in pixels, classes.
// - "ssd": scores [N,K,C] as probabilities, class 0 being the background, and boxes [N,K,4] as
//   corners.
// - "nms": boxes [M,4] or [N,M,4], scores and labels of the same M: suppressed by the graph,
//   compared as they are.
//
// A detection has the best class of its place; with ssd each class but the background is one. The
// score is the probability, times objectness where there is one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/boxes.h"
#include "lib/eval/signature.h"

namespace intaglio {

struct DetectOptions {
  double score = 0.3;  // detections with lower scores are left out
  double nms = 0.45;   // overlap beyond which suppress() drops the lesser one
  double match = 0.5;  // overlap from which two boxes are the same
  bool operator==(const DetectOptions&) const = default;
};

// An output as the decoders read it.
struct Array {
  Shape shape;
  std::vector<float> values;
};

// One image of what a model made of one sample.
struct Scene {
  std::vector<Array> arrays;  // in the order of the roles
  std::int64_t item = 0;      // of the batch
  ImageSize image;            // zeros when the model takes none
  double score = 0;           // see DetectOptions
};

struct DecoderDef {
  std::string_view name, takes;  // "yolox", "one output [N,A,5+C] ..."
  bool suppressed;               // boxes come without duplicates
  // The outputs in their roles, as indices; empty: the outputs do not fit. With `named` the user
  // asked for this decoder, so that what is ambiguous is taken to fit.
  std::vector<std::size_t> (*roles)(const Signature& signature, bool named);
  Detections (*decode)(const Scene& scene);
};
std::span<const DecoderDef> decoders();

// What stands for the first decoder that fits.
inline constexpr std::string_view any_decoder = "auto";

// Code::usage for a name that is neither a decoder's nor any_decoder.
void require_decoder_name(std::string_view name);

struct Decoder {
  const DecoderDef* def = nullptr;
  std::vector<std::size_t> roles;
};

// name: of a decoder, or any_decoder. Throws Code::usage for an unknown name, and
// Code::unsupported, with the shapes and what the decoders take, when none fits, or the named one
// does not.
Decoder choose_decoder(std::string_view name, const Signature& signature);

// The first that fits the shapes; nullopt: none does.
std::optional<Decoder> fitting_decoder(const Signature& signature);

// The detections of each image of one sample. Those of a model that found nothing are empty lists.
std::vector<Detections> detect(const Decoder& decoder, const DetectOptions& options,
                               std::span<const Tensor> feeds, std::span<const Tensor> outputs);

// Whether scores that the decoder reads as probabilities are some.
bool holds_probabilities(const Decoder& decoder, std::span<const Tensor> outputs);

// Throws Code::unsupported when a decoder that reads probabilities meets values far from 0..1:
// logits would be read without complaint.
void require_probabilities(const Decoder& decoder, const Signature& signature,
                           std::span<const Tensor> outputs);

}  // namespace intaglio
