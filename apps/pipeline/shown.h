// Samples as pictures: what a network sees, what both models make of it, and where they part.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/data.h"
#include "calibration/data/picture.h"
#include "lib/eval/evaluate.h"

namespace intaglio {

// Names of classes by index; of recognizers the characters.
using Names = std::map<std::int64_t, std::string>;

// Those of --classes or --characters, else those that an exporter left in the metadata.
Names names_for(const DataOptions& options, const std::map<std::string, std::string>& metadata);

struct ShownSample {
  SampleAnswer answer;
  std::optional<Image> original;  // the file; where it was asked for
  std::optional<Image> seen;      // what the network sees; nullopt: no image
  Size fed;                       // of `seen` before it was made smaller: boxes are in its pixels
  // An image that both models make, and where it differs, in the colours of heat up to `most`.
  std::optional<Image> expected, made, heat;
  double most = 0;            // largest difference
  std::vector<float> values;  // the first of the first output
};

struct Shown {
  std::vector<ShownSample> samples;
  Names names;
  MetricPlan plan;
  bool compared = false;  // answers are of two models
};

struct ShowHow {
  const Executor* reference = nullptr;  // null: there is one model
  const Executor* model = nullptr;
  std::optional<PreprocessRecipe> recipe = {};  // settled; nullopt: samples are no images
  bool originals = false;
  Names names = {};
};

inline constexpr std::size_t most_shown = 12;

// The samples with these numbers in e.answers. Each is loaded and run once more: pictures are not
// kept while a model is evaluated, so that memory does not grow with the number of samples.
Shown show(const Evaluation& e, std::span<const std::size_t> which, const Samples& samples,
           const ShowHow& how);

// The most_shown worst.
Shown show_worst(const Evaluation& e, const Samples& samples, const ShowHow& how);

}  // namespace intaglio
