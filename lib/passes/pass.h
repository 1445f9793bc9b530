// Preparation: what a float model goes through before it is measured and quantized.
//
// A pass rewrites a model in place without changing what it computes: each keeps the float outputs
// within 1e-5 of the largest value (widen_fp16, which makes a model more precise, aside). The
// names of graph inputs and outputs stay. Every rewrite is counted; a pass that does not match
// leaves things as they are.
//
// To add one: write lib/passes/<name>.cpp, declare it in list.h and give it a line there, at the
// place where it belongs.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/model.h"

namespace intaglio {

struct PrepareOptions {
  // The lowest opset that the result may have. A model at or above it keeps its own; one below is
  // raised to it, and to 13 at least. Up to 21; Code::config beyond.
  std::int64_t min_opset = 13;
  // A convolution that makes scores of one pixel becomes the Gemm that it is.
  bool classifier_gemm = false;
  // Operators of activations that are no part of what makes their input: MaxPool goes ahead of
  // them.
  std::set<std::string, std::less<>> lone_activations = {};
  // Sum, Max, Min, Mean and Concat of one operand go. Runtimes keep them.
  bool drop_lone_operands = true;
  // Of what depends on constants alone, only Constant nodes are folded.
  bool constant_nodes_alone = false;
  // Constants that are computed have so many elements at most; 0: any number.
  std::int64_t most_elements = 0;
  // Gemm reads its weights as they lie, without transB.
  bool straight_gemm = false;
};

struct Pass {
  std::string_view name;
  std::string_view help;                            // one line for people
  int (*run)(Model& model, const PrepareOptions&);  // returns the rewrites it made
};

struct PassCount {
  std::string_view name;
  int rewrites;
};

// The passes in the order in which they run: order is meaning.
std::span<const Pass> preparation_passes();

// For forms that change weights alone: inputs with a default value and Constant nodes become
// initializers, and an opset below options.min_opset is raised to it; all else stays. Counts and
// errors as those of prepare().
std::vector<PassCount> prepare_weights(Model& model, const PrepareOptions& options);

// Infers types and runs all passes, in rounds until a round changes nothing; each pass is followed
// by Graph::verify(). Returns the rewrites of every pass, zeros included, in order. Throws
// Code::unsupported for an operator of an old opset that has no equivalent in the new one, with the
// node named; the model is then half rewritten and must be dropped.
// after: called with the name of each pass that has just run, to watch what it did.
std::vector<PassCount> prepare(Model& model, const PrepareOptions& options = {},
                               const std::function<void(std::string_view pass)>& after = {});

}  // namespace intaglio
