#include "apps/pipeline/data.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/data/files.h"
#include "lib/base/configs.h"

namespace intaglio {
namespace {

void keep_path(Outputs& outputs, std::string_view what, const std::string& path, bool texts) {
  for (const std::filesystem::path& file : files_behind(path, texts)) outputs.keep(what, file);
}

// PATH or NAME=PATH: which of them is meant is known when there is a model.
void keep_paths(Outputs& outputs, std::string_view what, const std::vector<std::string>& paths,
                bool texts) {
  for (const std::string& path : paths) {
    keep_path(outputs, what, path, texts);
    if (const auto equals = path.find('='); equals != std::string::npos)
      keep_path(outputs, what, path.substr(equals + 1), texts);
  }
}

}  // namespace

void keep_config(Outputs& outputs, std::string_view what, const std::string& name_or_file) {
  if (is_config_file(name_or_file)) outputs.keep(what, name_or_file);
}

void keep_data(Outputs& outputs, const DataOptions& o, const std::vector<std::string>& eval_data) {
  if (outputs.none()) return;
  keep_paths(outputs, "--data", o.data, !o.text.tokenizer.empty());
  keep_paths(outputs, "--eval-data", eval_data, !o.text.tokenizer.empty());
  outputs.keep("--tokenizer", o.text.tokenizer);
  outputs.keep("--labels", o.labels);
  outputs.keep("--classes", o.classes);
  outputs.keep("--characters", o.characters);
  keep_config(outputs, "--preprocess", o.preprocess);
}

SampleSet::SampleSet(const DataOptions& options, const std::vector<std::string>& paths,
                     const PreprocessRecipe& recipe, const Model& model)
    : origin_(recipe.origin) {
  if (paths.empty())
    throw Error(Code::usage, "no data given",
                "Give --data PATH: images, arrays, a list of files, or text and its --tokenizer.");
  DataSpec spec;
  spec.paths = paths;
  if (options.limit > 0) spec.limit = options.limit;
  spec.shard = options.shard;
  spec.without = options.without;
  spec.others = options.others;
  spec.most = options.most;
  spec.recipe = recipe;
  spec.text = options.text;
  dataset_ = open_dataset(spec, model.graph().feeds());
  checked_ = std::make_unique<CheckedDataset>(*dataset_, &model);
  if (!options.labels.empty()) labels_ = Labels::read(options.labels);
}

Samples SampleSet::samples() const {
  Samples samples;
  samples.count = dataset_->size();
  samples.load = [this](std::size_t i) { return checked_->load(i); };
  samples.name = [this](std::size_t i) { return dataset_->name(i); };
  samples.fault = [this] { return checked_->none_good(); };
  if (labels_)
    samples.label = [this](std::size_t i) -> std::optional<std::int64_t> {
      return labels_->of(dataset_->name(i));
    };
  return samples;
}

std::optional<PreprocessRecipe> SampleSet::recipe() const {
  const Json settled = dataset_->preprocess();
  if (settled.is_null()) return std::nullopt;
  PreprocessRecipe recipe = recipe_from_json(settled, "the settled recipe");
  recipe.origin = origin_;
  return recipe;
}

DataSummary SampleSet::summary(std::size_t threads) const {
  DataSummary summary;
  summary.skipped = checked_->skipped();
  summary.preprocess = dataset_->preprocess();
  summary.tokens = dataset_->tokens();
  summary.recipe = recipe();
  summary.samples = dataset_->size() - summary.skipped.size();
  summary.sha256 = data_sha256(*dataset_, threads);
  return summary;
}

void SampleSet::finish(std::vector<std::string>& warnings) const {
  checked_->enforce_limit();
  for (const SkippedFile& file : checked_->skipped())
    warnings.push_back(fmt::format("{} was left out: {}", file.file, file.reason));
  for (std::string& remark : dataset_->remarks()) warnings.push_back(std::move(remark));
}

}  // namespace intaglio
