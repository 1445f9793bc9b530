// Leaving out what exporters note for people: where a node came from, in which module, by which
// line of which file.
#pragma once

namespace onnx {
class ModelProto;
}

namespace intaglio {

// Drops doc_string of the model, its graphs, nodes, attributes, values, tensors and functions, and
// metadata_props of all but the model, nested graphs included. The model's own metadata stay: they
// are read by programs.
void strip(onnx::ModelProto& model);

}  // namespace intaglio
