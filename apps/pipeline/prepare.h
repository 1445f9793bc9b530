// A float model, loaded and prepared for quantization: the first two stages of every command that
// calibrates.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "lib/graph/contents.h"
#include "lib/io/load.h"
#include "lib/passes/pass.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"
#include "lib/rewrite/half_interface.h"

namespace intaglio {

// A model file, as a report names it.
struct SourceFile {
  std::string path, sha256;
  std::uint64_t bytes = 0;  // those of its external data too
  std::int64_t opset = 0;
  std::size_t nodes = 0;
};
SourceFile source_file(const std::string& path, const Model& model, const DataFiles& data_files);

// No output may be one of these. Throws as Outputs::keep().
void keep_data_files(Outputs& outputs, const DataFiles& data_files);

// What preparation did away with: by name, the pass that did it. Filled by watching prepare().
struct Folded {
  struct Entry {
    std::string name, op, pass;  // op is empty for values
  };
  std::vector<Entry> nodes, values;
};

struct Prepared {
  Model model;
  std::optional<Model> original;  // before its channels were rebalanced; nullopt: they were not
  std::map<std::string, std::string> left_float;  // nodes that hold scales, as in Selection
  SourceFile source;                              // the file as it was
  Contents contents;                              // of the same
  HalfInterface halves;  // graph inputs and outputs that were in half precision
  std::string producer;
  std::vector<PassCount> passes;
  Folded folded;
  bool external = false;  // weights of the model given lie in files beside it
  std::string
      hash;  // of the prepared model: what plans and statistics are for; empty: none is kept

  const Model& reference() const { return original ? *original : model; }
};

// Throws Code::unsupported for a model that is quantized already.
Prepared load_prepared(const std::string& path, const Target& target, Context& context);

// A float model of any size for a form that changes its weights alone: it stays as it is, but for an
// opset that the target needs. Weights are not read, so it has no hash. Throws as load_prepared().
Prepared load_unchanged(const std::string& path, const Target& target, Context& context);

// A model that is quantized already, as it is (--from-qdq). Throws Code::model for one that is not.
Prepared load_quantized(const std::string& path, Context& context);

// Throws Code::unsupported, with an example of a reason, when a plan would quantize no node.
void require_something(const Plan& plan);

}  // namespace intaglio
