#include "calibration/data/checked_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace intaglio {
namespace {

// Beside other inputs -inf is how an additive mask says "not this one".
bool is_sound(const Tensor& tensor, bool may_mask) {
  if (!is_float(tensor.dtype())) return true;
  return visit_dtype(tensor.dtype(), [&](auto zero) {
    const auto values = tensor.data<decltype(zero)>();
    return std::all_of(values.begin(), values.end(), [&](auto value) {
      const auto v = static_cast<double>(value);
      return std::isfinite(v) || (may_mask && std::isinf(v) && v < 0);
    });
  });
}

}  // namespace

std::optional<std::vector<Tensor>> CheckedDataset::load(std::size_t i) {
  std::string reason;
  try {
    std::vector<Tensor> feeds = dataset_.load(i);
    if (trial_) trial_->require_taken(feeds);
    const bool may_mask = feeds.size() > 1;
    if (std::all_of(feeds.begin(), feeds.end(),
                    [&](const Tensor& feed) { return is_sound(feed, may_mask); })) {
      const std::lock_guard lock(mutex_);
      good_.insert(i);
      return feeds;
    }
    reason = "it holds NaN or infinite values";
  } catch (const Error& e) {
    if (e.code() != Code::data && e.code() != Code::io) throw;
    reason = e.what();
  }
  const std::string name = dataset_.name(i);
  if (reason.starts_with(name + ": ")) reason.erase(0, name.size() + 2);
  const std::lock_guard lock(mutex_);
  bad_.insert_or_assign(i, SkippedFile{name, reason});
  return std::nullopt;
}

std::vector<SkippedFile> CheckedDataset::skipped() const {
  const std::lock_guard lock(mutex_);
  std::vector<SkippedFile> files;
  for (const auto& [i, file] : bad_) files.push_back(file);
  return files;
}

Error CheckedDataset::none_good() const {
  const auto files = skipped();
  std::string what = "no sample could be loaded";
  if (!files.empty()) what += fmt::format("; {}: {}", files.front().file, files.front().reason);
  return Error(Code::data, what, dataset_.wanted());
}

void CheckedDataset::enforce_limit() const {
  const auto files = skipped();
  const std::lock_guard lock(mutex_);
  const std::size_t all = good_.size() + files.size();
  if (all == 0) throw Error(Code::data, "the data holds no sample", "Give more data.");
  if (!good_.empty() && files.size() * 10 <= all) return;
  constexpr std::size_t shown = 3;
  std::string list;
  for (std::size_t i = 0; i < std::min(shown, files.size()); ++i)
    list += fmt::format("{}{} ({})", i == 0 ? "" : ", ", files[i].file, files[i].reason);
  if (files.size() > shown) list += ", ...";
  throw Error(Code::data, fmt::format("{} of {} samples are bad: {}", files.size(), all, list),
              good_.empty() && !dataset_.wanted().empty()
                  ? dataset_.wanted()
                  : "Replace them or take them out; up to 10 % are skipped with a note in the "
                    "report.");
}

}  // namespace intaglio
