// Where samples come from and how images are preprocessed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/outputs.h"
#include "apps/pipeline/preprocess.h"
#include "calibration/data/checked_dataset.h"
#include "calibration/data/labels.h"
#include "calibration/data/recipe.h"
#include "lib/eval/evaluate.h"
#include "lib/graph/model.h"
#include "lib/passes/fix_shapes.h"

namespace intaglio {

struct DataOptions {
  std::vector<std::string> data;
  std::size_t limit = 0;                    // 0: all
  std::optional<Shard> shard, without;      // see DataSpec
  std::optional<std::size_t> others, most;  // see DataSpec
  std::string preprocess, resize, crop, mean, deviation, channels, layout;
  bool letterbox = false;
  ShapeRequest shapes;  // images have the size that stands there where the model leaves it open
  TextSpec text;
  std::string labels, classes, characters;
};

// No output may be one of the files that these options name, those in folders and lists included.
// Throws as Outputs::keep(). Outputs are declared before: folders are not looked through for none.
void keep_data(Outputs& outputs, const DataOptions& options,
               const std::vector<std::string>& eval_data = {});

// A preset or a target, as an option names it: a file, unless it is built in.
void keep_config(Outputs& outputs, std::string_view what, const std::string& name_or_file);

// What was read of a data set.
struct DataSummary {
  std::size_t samples = 0;                      // that were used
  std::vector<SkippedFile> skipped;             // and those that were not
  Json preprocess;                              // the settled recipe; null without images
  std::string sha256;                           // of the samples, whatever their order
  std::optional<PreprocessRecipe> recipe = {};  // the settled one, with its origin
  Json tokens = nullptr;                        // see Dataset
};

// The samples of paths for the feeds of a model, bad ones set aside and noted.
class SampleSet {
 public:
  SampleSet(const DataOptions& options, const std::vector<std::string>& paths,
            const PreprocessRecipe& recipe, const Model& model);

  Samples samples() const;  // with the labels, if there are any
  CheckedDataset& checked() const { return *checked_; }
  bool reads_images() const { return !dataset_->preprocess().is_null(); }
  std::optional<PreprocessRecipe> recipe() const;  // settled; nullopt without images
  Json tokens() const { return dataset_->tokens(); }
  DataSummary summary(std::size_t threads) const;
  // Throws Code::data when too many samples were bad. Warnings name those that were left out.
  void finish(std::vector<std::string>& warnings) const;

 private:
  std::string origin_;  // of the recipe
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<CheckedDataset> checked_;
  std::optional<Labels> labels_;
};

}  // namespace intaglio
