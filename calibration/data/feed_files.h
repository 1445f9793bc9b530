// The samples that a set of files holds for some of the inputs of a model. A part of dataset.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibration/data/files.h"
#include "calibration/data/preprocess.h"
#include "calibration/data/samples.h"

namespace intaglio {

struct FeedSlot {
  std::size_t index;  // among all feeds of the model
  FeedType type;
};

class FeedFiles {
 public:
  // Opens every array file once, to count its samples; those of more than one sample stay open.
  // Throws what Preprocessor's constructor does, and Code::data for images that are to feed several
  // inputs at once.
  FeedFiles(std::vector<DataFile> files, std::vector<FeedSlot> feeds,
            const PreprocessRecipe& recipe, Batches batches);

  std::size_t size() const { return rows_.size(); }
  std::vector<std::string> inputs() const;
  std::string name(std::size_t row) const;
  const PreprocessRecipe* recipe() const {
    return preprocessor_ ? &preprocessor_->recipe() : nullptr;
  }

  // What is to be said of the images that were loaded so far (Preprocessor).
  std::optional<std::string> remark() const {
    return preprocessor_ ? preprocessor_->remark() : std::nullopt;
  }

  // Puts a tensor into tensors[feed.index] for every feed of the column. Errors start with the
  // name.
  void load(std::size_t row, std::vector<Tensor>& tensors) const;
  std::string fingerprint(std::size_t row) const;

 private:
  using Arrays = std::vector<FeedSlices>;  // one for each feed of the column

  struct Row {
    std::size_t file;
    std::int64_t index = -1;                         // of the sample in its file; -1: the only one
    std::shared_ptr<const Arrays> arrays = nullptr;  // of files that stay open
  };

  Arrays open(const DataFile& file) const;
  std::vector<Tensor> read(const Row& row) const;
  std::string reason(std::size_t row, const Error& error) const;

  std::vector<DataFile> files_;
  std::vector<FeedSlot> feeds_;
  Batches batches_;
  std::optional<Preprocessor> preprocessor_;  // when there are images
  std::vector<Row> rows_;
};

}  // namespace intaglio
