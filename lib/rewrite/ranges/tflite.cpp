// {"tensor": {"min": -1.28, "max": 1.27}}: what ai-edge-quantizer's Quantizer.quantize() takes as
// calibration_result, once the tensors have the names of the .tflite file and the numbers the rank of
// the tensor (numpy.full). Its int8 scale is (max - min) / 255.
#include "lib/base/json.h"
#include "lib/rewrite/ranges/ranges.h"

namespace intaglio {

std::string tflite_text(const ValueRanges& ranges) {
  Json json = Json::object();
  for (const ValueRange& value : ranges.values)
    if (!value.within) json[value.name] = {{"min", value.lo()}, {"max", value.hi()}};
  return json.dump(1) + '\n';
}

}  // namespace intaglio
