#include "calibration/data/feed_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "calibration/data/npy.h"
#include "lib/base/hash.h"
#include "lib/io/load.h"

namespace intaglio {
namespace {

std::int64_t sample_count(const std::vector<FeedSlices>& arrays,
                          const std::vector<FeedSlot>& feeds) {
  std::int64_t count = 1;
  for (const FeedSlices& slices : arrays) count = std::max(count, slices.count());
  for (std::size_t i = 0; i < arrays.size(); ++i)
    if (arrays[i].count() != 1 && arrays[i].count() != count)
      throw Error(Code::data,
                  fmt::format("{} samples for {}, {} for others", arrays[i].count(),
                              feeds[i].type.text(), count),
                  "Save as many samples for each input, or a single one.");
  return count;
}

// The array of an .npz file that an input takes.
Tensor array_for(const std::map<std::string, Tensor>& arrays, const std::string& input,
                 bool sole_input) {
  if (const auto at = arrays.find(input); at != arrays.end()) return at->second;
  if (sole_input && arrays.size() == 1) return arrays.begin()->second;
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) names.push_back(name);
  throw Error(Code::data, fmt::format("no array '{}' among: {}", input, fmt::join(names, ", ")),
              "Save one array for each input, by its name.");
}

}  // namespace

FeedFiles::FeedFiles(std::vector<DataFile> files, std::vector<FeedSlot> feeds,
                     const PreprocessRecipe& recipe, Batches batches)
    : files_(std::move(files)), feeds_(std::move(feeds)), batches_(batches) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].kind == DataKind::image) {
      if (feeds_.size() > 1)
        throw Error(Code::data,
                    fmt::format("{}: an image cannot feed several inputs ({})",
                                files_[i].path.string(), fmt::join(inputs(), ", ")),
                    "Name its input, `data NAME=PATH`, and give the others their own data.");
      if (!preprocessor_) preprocessor_.emplace(recipe, feeds_[0].type);
      rows_.push_back({.file = i});
      continue;
    }
    try {
      const auto arrays = std::make_shared<const Arrays>(open(files_[i]));
      const std::int64_t count = sample_count(*arrays, feeds_);
      if (count == 1) rows_.push_back({.file = i});
      for (std::int64_t k = 0; count > 1 && k < count; ++k) rows_.push_back({i, k, arrays});
    } catch (const Error&) {
      rows_.push_back({.file = i});  // load() meets the same fault and reports it
    }
  }
}

std::vector<std::string> FeedFiles::inputs() const {
  std::vector<std::string> names;
  for (const FeedSlot& feed : feeds_) names.push_back(feed.type.name);
  return names;
}

std::string FeedFiles::name(std::size_t row) const {
  const std::string path = files_[rows_[row].file].path.generic_string();
  return rows_[row].index < 0 ? path : fmt::format("{}[{}]", path, rows_[row].index);
}

FeedFiles::Arrays FeedFiles::open(const DataFile& file) const {
  std::map<std::string, Tensor> named_arrays;
  if (file.kind == DataKind::npz) named_arrays = load_npz(file.path);
  Arrays arrays;
  for (const FeedSlot& feed : feeds_) {
    Tensor array;
    switch (file.kind) {
      case DataKind::npz:
        array = array_for(named_arrays, feed.type.name, feeds_.size() == 1);
        break;
      case DataKind::test_set:
        array = load_tensor(file.path / fmt::format("input_{}.pb", feed.index));
        break;
      case DataKind::npy:
      case DataKind::pb:
        if (feeds_.size() > 1)
          throw Error(
              Code::data,
              fmt::format("one array cannot feed several inputs ({})", fmt::join(inputs(), ", ")),
              "Name its input, `data NAME=PATH`, or save an .npz with an array for each input.");
        array = file.kind == DataKind::npy ? load_npy(file.path) : load_tensor(file.path);
        break;
      default:
        map_file(file.path);  // says so when it is missing
        throw Error(Code::data, "a file of unknown kind", "Give images, .npy, .npz or .pb files.");
    }
    arrays.emplace_back(std::move(array), feed.type, batches_);
  }
  return arrays;
}

std::vector<Tensor> FeedFiles::read(const Row& row) const {
  const DataFile& file = files_[row.file];
  if (file.kind == DataKind::image) return {(*preprocessor_)(read_image(file.path))};
  Arrays reopened;
  if (!row.arrays) {
    reopened = open(file);
    sample_count(reopened, feeds_);  // throws when they disagree
  }
  std::vector<Tensor> tensors;
  for (const FeedSlices& slices : row.arrays ? *row.arrays : reopened)
    tensors.push_back(slices.at(slices.count() == 1 ? 0 : row.index));
  return tensors;
}

// Readers of files put the path in front, those of bytes do not.
std::string FeedFiles::reason(std::size_t row, const Error& error) const {
  const std::string text = error.what(), path = files_[rows_[row].file].path.string() + ": ";
  return text.starts_with(path) ? text.substr(path.size()) : text;
}

void FeedFiles::load(std::size_t row, std::vector<Tensor>& tensors) const {
  try {
    std::vector<Tensor> loaded = read(rows_[row]);
    for (std::size_t i = 0; i < feeds_.size(); ++i) tensors[feeds_[i].index] = std::move(loaded[i]);
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("{}: {}", name(row), reason(row, e)), e.remedy());
  }
}

std::string FeedFiles::fingerprint(std::size_t row) const {
  try {
    if (files_[rows_[row].file].kind == DataKind::image)
      return sha256_of_file(files_[rows_[row].file].path);
    Sha256 hash;
    for (const Tensor& tensor : read(rows_[row])) {
      hash.add(fmt::format("{} {};", name_of(tensor.dtype()), to_string(tensor.shape())));
      hash.add(std::span(tensor.raw(), tensor.bytes()));
    }
    return hash.hex();
  } catch (const Error& e) {
    return sha256(reason(row, e));
  }
}

}  // namespace intaglio
