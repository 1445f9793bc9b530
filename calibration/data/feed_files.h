// The samples that a set of files holds for some of the inputs of a model. A part of dataset.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibration/data/files.h"
#include "calibration/data/preprocess.h"
#include "calibration/data/samples.h"
#include "calibration/tokens/text_rows.h"

namespace intaglio {

struct FeedSlot {
  std::size_t index;  // among all feeds of the model
  FeedType type;
  bool optional = false;  // where a file does not hold it, somebody else makes it (token_inputs.h)
  std::string refusal = {};  // why nobody does, where one could expect it
};

class FeedFiles {
 public:
  // Opens every array file once, to count its samples; those of more than one sample stay open.
  // Throws what Preprocessor's constructor does, Code::data for images that are to feed several
  // inputs at once, and what TextReader::read() throws. texts: null where there are none.
  FeedFiles(std::vector<DataFile> files, std::vector<FeedSlot> feeds,
            const PreprocessRecipe& recipe, Batches batches, const TextReader* texts = nullptr);

  std::size_t size() const { return rows_.size(); }
  std::vector<std::string> inputs() const;
  std::string name(std::size_t row) const;
  const PreprocessRecipe* recipe() const {
    return preprocessor_ ? &preprocessor_->recipe() : nullptr;
  }
  std::size_t texts() const { return texts_; }          // that were tokenized
  std::size_t left_over() const { return left_over_; }  // tokens at their ends

  // What is to be said of the images that were loaded so far (Preprocessor).
  std::optional<std::string> remark() const {
    return preprocessor_ ? preprocessor_->remark() : std::nullopt;
  }

  // Puts a tensor into tensors[feed.index] for every feed of the column, optional ones as far as
  // the file holds them. Errors start with the name.
  void load(std::size_t row, std::vector<Tensor>& tensors) const;
  std::string fingerprint(std::size_t row) const;

 private:
  // One for each feed of the column; none for an optional one that the file does not hold.
  using Arrays = std::vector<std::optional<FeedSlices>>;

  struct Row {
    std::size_t file;
    std::int64_t index = -1;                         // of the sample in its file; -1: the only one
    std::shared_ptr<const Arrays> arrays = nullptr;  // of files that stay open
  };

  void add_texts(std::size_t file, const TextReader& reader);
  std::vector<std::string> unfed() const;
  std::size_t needed() const;  // the place of the only feed that is not optional; else none
  Arrays open(const DataFile& file) const;
  std::vector<Tensor> read(const Row& row) const;
  std::string reason(std::size_t row, const Error& error) const;

  std::vector<DataFile> files_;
  std::vector<FeedSlot> feeds_;
  Batches batches_;
  std::optional<Preprocessor> preprocessor_;  // when there are images
  std::vector<Row> rows_;
  std::size_t texts_ = 0, left_over_ = 0;
};

}  // namespace intaglio
