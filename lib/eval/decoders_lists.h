// Decoders of detectors whose outputs are lists of boxes and of scores.
#pragma once

#include "lib/eval/decoders.h"

namespace intaglio {

constexpr std::size_t boxes_role = 0, scores_role = 1;  // of both decoders

// See decoders.h for the forms and DecoderDef for the functions. Where shapes and types leave open
// which output has which role, names tell: "box", "score" or "conf", "class" or "label", "num".
std::vector<std::size_t> ssd_roles(const Signature& signature, bool named);
std::vector<std::size_t> suppressed_roles(const Signature& signature, bool named);
Detections decode_ssd(const Scene& scene);
Detections decode_suppressed(const Scene& scene);

}  // namespace intaglio
