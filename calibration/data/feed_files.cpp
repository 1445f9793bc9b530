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

constexpr std::size_t none = static_cast<std::size_t>(-1);

std::int64_t sample_count(const std::vector<std::optional<FeedSlices>>& arrays,
                          const std::vector<FeedSlot>& feeds) {
  std::int64_t count = 1;
  for (const auto& slices : arrays) count = std::max(count, slices ? slices->count() : 1);
  for (std::size_t i = 0; i < arrays.size(); ++i)
    if (arrays[i] && arrays[i]->count() != 1 && arrays[i]->count() != count)
      throw Error(Code::data,
                  fmt::format("{} samples for {}, {} for others", arrays[i]->count(),
                              feeds[i].type.text(), count),
                  "Save as many samples for each input, or a single one.");
  return count;
}

// The array of an .npz file that an input takes; undefined where it need not have one.
Tensor array_for(const std::map<std::string, Tensor>& arrays, const FeedSlot& feed,
                 bool sole_input) {
  const std::string& input = feed.type.name;
  if (const auto at = arrays.find(input); at != arrays.end()) return at->second;
  if (feed.optional) return {};
  if (sole_input && arrays.size() == 1) return arrays.begin()->second;
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) names.push_back(name);
  throw Error(Code::data, fmt::format("no array '{}' among: {}", input, fmt::join(names, ", ")),
              "Save one array for each input, by its name.");
}

}  // namespace

FeedFiles::FeedFiles(std::vector<DataFile> files, std::vector<FeedSlot> feeds,
                     const PreprocessRecipe& recipe, Batches batches, const TextReader* texts)
    : files_(std::move(files)), feeds_(std::move(feeds)), batches_(batches) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].kind == DataKind::text && texts != nullptr) {
      add_texts(i, *texts);
      continue;
    }
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

// Windows of one length are cut into batches where the model fixes one; lines stay one by one.
void FeedFiles::add_texts(std::size_t file, const TextReader& reader) {
  const std::size_t at = needed();
  const auto reject = [&](const std::string& reason) {
    return Error(
        Code::data, fmt::format("{}: {}", files_[file].path.string(), reason),
        "Name the input of token ids, `data NAME=PATH`, and give the others their own data.");
  };
  if (at == none) throw reject(fmt::format("one text cannot feed {}", fmt::join(unfed(), ", ")));
  const FeedType& ids = feeds_[at].type;
  if (ids.rank() != 2 || is_float(ids.dtype))
    throw reject(fmt::format("{} takes no token ids", ids.text()));
  TextRows text = reader.read(files_[file].path);
  const Dim& fixed = ids.dims->front();
  const std::size_t batch =
      fixed.known() ? static_cast<std::size_t>(std::max<std::int64_t>(fixed.value, 1)) : 1;
  if (text.rows.size() < batch)
    throw reject(fmt::format("{} sequences, a batch has {}", text.rows.size(), batch));
  for (std::size_t first = 0; first + batch <= text.rows.size(); first += batch) {
    const std::size_t length = text.rows[first].size();
    std::vector<std::int64_t> values;
    for (std::size_t row = first; row < first + batch; ++row) {
      if (text.rows[row].size() != length) throw reject("lines of several lengths in one batch");
      values.insert(values.end(), text.rows[row].begin(), text.rows[row].end());
    }
    const Shape shape = {static_cast<std::int64_t>(batch), static_cast<std::int64_t>(length)};
    Arrays arrays(feeds_.size());
    arrays[at].emplace(Tensor::of<std::int64_t>(shape, values), ids, Batches::whole);
    rows_.push_back({file, static_cast<std::int64_t>(first / batch),
                     std::make_shared<const Arrays>(std::move(arrays))});
  }
  const std::size_t unused = text.rows.size() % batch;  // of windows, which are of one length
  ++texts_, left_over_ += text.left_over + unused * text.rows.back().size();
}

// The inputs that nobody makes, with what is known of why.
std::vector<std::string> FeedFiles::unfed() const {
  std::vector<std::string> texts;
  for (const FeedSlot& feed : feeds_)
    if (!feed.optional)
      texts.push_back(feed.refusal.empty()
                          ? feed.type.text()
                          : fmt::format("{} ({})", feed.type.text(), feed.refusal));
  return texts;
}

std::size_t FeedFiles::needed() const {
  std::size_t found = none;
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    if (feeds_[i].optional) continue;
    if (found != none) return none;
    found = i;
  }
  return found;
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
  const std::size_t only = needed();
  Arrays arrays;
  for (const FeedSlot& feed : feeds_) {
    Tensor array;
    switch (file.kind) {
      case DataKind::npz:
        array = array_for(named_arrays, feed, only != none);
        break;
      case DataKind::test_set:
        array = load_tensor(file.path / fmt::format("input_{}.pb", feed.index));
        break;
      case DataKind::npy:
      case DataKind::pb:
        if (feeds_.size() > 1 && feed.optional && only != none) break;
        if (feeds_.size() > 1 && only == none)
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
    arrays.emplace_back();
    if (array.defined()) arrays.back().emplace(std::move(array), feed.type, batches_);
  }
  if (std::ranges::none_of(arrays, [](const auto& slices) { return slices.has_value(); }))
    throw Error(Code::data, fmt::format("no array for {}", fmt::join(inputs(), ", ")),
                "Save one array for each input, by its name.");
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
  for (const auto& slices : row.arrays ? *row.arrays : reopened)
    tensors.push_back(slices ? slices->at(slices->count() == 1 ? 0 : row.index) : Tensor());
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
    for (std::size_t i = 0; i < feeds_.size(); ++i)
      if (loaded[i].defined()) tensors[feeds_[i].index] = std::move(loaded[i]);
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
      if (!tensor.defined()) continue;
      hash.add(fmt::format("{} {};", name_of(tensor.dtype()), to_string(tensor.shape())));
      hash.add(std::span(tensor.raw(), tensor.bytes()));
    }
    return hash.hex();
  } catch (const Error& e) {
    return sha256(reason(row, e));
  }
}

}  // namespace intaglio
