// Skipping bad samples, and giving up when there are too many.
//
//   CheckedDataset data(*dataset);
//   parallel_for(data.size(), threads, [&](auto, auto i) { if (auto feeds = data.load(i)) ...; });
//   data.enforce_limit();
//   report(data.skipped());
#pragma once

#include <compare>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "calibration/data/dataset.h"
#include "calibration/data/shape_trial.h"
#include "lib/base/error.h"

namespace intaglio {

struct SkippedFile {
  std::string file, reason;
  auto operator<=>(const SkippedFile&) const = default;
};

// All functions may be called from many threads at once; the data set must outlive it.
class CheckedDataset {
 public:
  // model: what the samples are for; null: nobody knows. Their shapes are tried on it.
  explicit CheckedDataset(const Dataset& dataset, const Model* model = nullptr)
      : dataset_(dataset) {
    if (model != nullptr) trial_.emplace(*model);
  }

  const Dataset& dataset() const { return dataset_; }
  std::size_t size() const { return dataset_.size(); }

  // The feeds of a sample, or nullopt after noting why not: it cannot be read or decoded, does not
  // fit the model by type, shape or length, or holds NaN or infinite values (-inf beside other inputs is a mask, and taken).
  // Other errors (an interrupt, a bug) pass through.
  std::optional<std::vector<Tensor>> load(std::size_t i);

  // What was skipped so far, in the order of the data set; loading a sample twice counts once.
  std::vector<SkippedFile> skipped() const;

  // What to say when not one sample was good: the first and its reason, and what the model wants.
  Error none_good() const;

  // Throws Code::data, with the first of the bad samples, when more than 10 % of the samples asked
  // for so far were bad, or none was good.
  void enforce_limit() const;

 private:
  const Dataset& dataset_;
  std::optional<ShapeTrial> trial_;
  mutable std::mutex mutex_;
  std::set<std::size_t> good_;
  std::map<std::size_t, SkippedFile> bad_;
};

}  // namespace intaglio
