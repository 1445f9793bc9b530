// Decoders of detectors that predict in every cell of grids with strides 8, 16, 32 (and, for large
// images, 64).
#pragma once

#include "lib/eval/decoders.h"

namespace intaglio {

// See decoders.h for the forms and DecoderDef for the functions.
std::vector<std::size_t> yolox_roles(const Signature& signature, bool named);
std::vector<std::size_t> yolov5_roles(const Signature& signature, bool named);
std::vector<std::size_t> yolov8_roles(const Signature& signature, bool named);
Detections decode_yolox(const Scene& scene);
Detections decode_yolov5(const Scene& scene);
Detections decode_yolov8(const Scene& scene);

}  // namespace intaglio
