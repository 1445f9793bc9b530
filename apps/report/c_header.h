// Inputs and outputs of a model as a header for C and C++: what firmware needs to feed it.
#pragma once

#include <optional>
#include <string>

#include "calibration/data/recipe.h"
#include "lib/graph/graph.h"
#include "lib/rewrite/interface.h"
#include "lib/tflite/write.h"

namespace intaglio {

// Macros alone, named after the header's file (MODEL_INPUT_0_SCALE in model.h): name, type, shape
// (-1: an axis that is not known), number of elements and bytes (for unknown axes of 1); of codes
// scale and zero point; of an input that images become, the recipe, and the code of a pixel where
// that is the pixel less a number. model: the file that it is about. tflite: what it holds, if it is
// such a file, for its shapes.
std::string c_header(const std::string& path, const std::string& model, const Graph& graph,
                     const Interface& interface, const std::optional<PreprocessRecipe>& recipe,
                     const TfliteFile* tflite = nullptr);

}  // namespace intaglio
