// Shapes of inputs that the model leaves open and the output does not: what options ask for, and
// what the target needs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/form.h"
#include "calibration/data/recipe.h"
#include "lib/passes/fix_shapes.h"

namespace intaglio {

// "x=1x3x224x224"; throws Code::usage.
std::pair<std::string, Shape> parse_shape(std::string_view text);

// What is fixed in the end: a target that needs shapes, and TFLite files, get a batch of 1 where none
// was asked for.
ShapeRequest shapes_for(const FormOptions& options, const Target& target);

// Throws as fixed_shapes(); Code::usage for a batch that no input leaves open, and, with the path and
// the node, where the model does not run in these shapes; Code::unsupported where the target needs
// lengths that stay open.
void require_fixable(const FormOptions& options, const Target& target, const Model& model,
                     const std::string& path);

// Fixes them in a model that was quantized, and verifies it. A model of any size.
std::vector<FixedShape> fix_output(Model& model, const FormOptions& options, const Target& target);

// The size of images that a shape asks for where the model leaves it open; nullopt: none does.
std::optional<Size> image_size(const ShapeRequest& shapes, const Graph& graph);

// "input 'x' [N,3,224,224] is [1,3,224,224] in the file"
std::string text_of(const FixedShape& fixed);

}  // namespace intaglio
