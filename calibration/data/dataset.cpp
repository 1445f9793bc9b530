#include "calibration/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "calibration/data/feed_files.h"
#include "calibration/tokens/token_inputs.h"
#include "lib/base/hash.h"
#include "lib/base/parallel.h"
#include "lib/exec/samples.h"
#include "lib/graph/index_bounds.h"

namespace intaglio {
namespace {

// At most `count` of the rows, spread evenly.
std::vector<std::size_t> spread_rows(const std::vector<std::size_t>& rows, std::size_t count) {
  count = std::min(count, rows.size());
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i)
    chosen.push_back(rows[middle_of_part(i, count, rows.size())]);
  return chosen;
}

// Rows that are not among `taken`; both are in ascending order.
std::vector<std::size_t> without(const std::vector<std::size_t>& rows,
                                 const std::vector<std::size_t>& taken) {
  std::vector<std::size_t> left;
  std::ranges::set_difference(rows, taken, std::back_inserter(left));
  return left;
}

std::string wanted_by(std::span<const Value* const> feeds) {
  std::vector<std::string> inputs;
  for (const Value* feed : feeds)
    inputs.push_back(fmt::format("'{}' {} {}", feed->name(), name_of(feed->dtype()),
                                 feed->dims() ? to_string(*feed->dims()) : "of any shape"));
  return fmt::format("The model wants {}.", fmt::join(inputs, ", "));
}

// Columns side by side: row i of each of them makes sample i. A column of one row is repeated.
class FileDataset final : public Dataset {
 public:
  FileDataset(std::vector<FeedFiles> columns, std::span<const Value* const> feeds,
              const DataSpec& spec, TokenInputs rules, std::optional<TextReader> reader)
      : columns_(std::move(columns)),
        feeds_(feeds.size()),
        rules_(std::move(rules)),
        reader_(std::move(reader)),
        bounds_(index_bounds(feeds)),
        wanted_(wanted_by(feeds)) {
    std::size_t rows = 1;
    for (const FeedFiles& column : columns_) rows = std::max(rows, column.size());
    for (const FeedFiles& column : columns_) {
      if (column.size() == rows) lead_ = &column;
      if (column.size() != 1 && column.size() != rows)
        throw Error(Code::data,
                    fmt::format("inputs {}: {} samples, others have {}",
                                fmt::join(column.inputs(), ", "), column.size(), rows),
                    "Give as many samples for each input, or a single one.");
    }
    std::vector<std::size_t> all(rows);
    std::iota(all.begin(), all.end(), std::size_t{0});
    listed_ = spread_rows(all, spec.limit.value_or(rows));
    if (spec.others) listed_ = spread_rows(without(all, listed_), *spec.others);
    const Shard shard = spec.shard.value_or(Shard{});
    for (std::size_t i = 0; i < listed_.size(); ++i)
      if (shard.holds(i) && !(spec.without && spec.without->holds(i)))
        chosen_.push_back(listed_[i]);
    if (spec.most) chosen_ = spread_rows(chosen_, *spec.most);
    if (chosen_.empty())
      throw Error(Code::data,
                  fmt::format("shard {} of {} is empty: there are {} samples", shard.index,
                              shard.of, listed_.size()),
                  "Use fewer shards.");
    find_made();
  }
  FileDataset(const FileDataset&) = delete;  // lead_ points into columns_

  std::size_t size() const override { return chosen_.size(); }
  std::string name(std::size_t i) const override { return lead_->name(chosen_[i]); }

  std::vector<Tensor> load(std::size_t i) const override {
    std::vector<Tensor> tensors(feeds_);
    for (const FeedFiles& column : columns_) column.load(row(column, i), tensors);
    at_sample(name(i), [&] {
      for (std::size_t feed = 0; feed < feeds_; ++feed)
        if (!tensors[feed].defined()) tensors[feed] = made(feed, tensors);
      for (const IndexBound& bound : bounds_) require_within(bound, tensors[bound.feed]);
    });
    return tensors;
  }

  std::string fingerprint(std::size_t i) const override {
    if (columns_.size() == 1) return columns_[0].fingerprint(chosen_[i]);
    Sha256 hash;
    for (const FeedFiles& column : columns_) hash.add(column.fingerprint(row(column, i)));
    return hash.hex();
  }

  std::string list_sha256() const override {
    Sha256 hash;
    if (texts() > 0) hash.add(reader_->to_json().dump());
    for (const std::size_t row : listed_)
      hash.add(std::filesystem::path(lead_->name(row)).filename().generic_string()).add("\n");
    return hash.hex();
  }

  std::string wanted() const override { return wanted_; }

  std::vector<std::string> remarks() const override {
    std::vector<std::string> remarks;
    for (const FeedFiles& column : columns_)
      if (auto remark = column.remark()) remarks.push_back(std::move(*remark));
    return remarks;
  }

  Json preprocess() const override {
    for (const FeedFiles& column : columns_)
      if (const PreprocessRecipe* recipe = column.recipe()) return recipe->to_json();
    return nullptr;
  }

  Json tokens() const override {
    if (texts() == 0 && made_.empty()) return nullptr;
    Json json = texts() > 0 ? reader_->to_json() : Json::object();
    if (texts() > 0) {
      json["texts"] = texts();
      std::size_t left_over = 0;
      for (const FeedFiles& column : columns_) left_over += column.left_over();
      json["left_over"] = left_over;
    }
    json["made"] = rules_.text(made_);
    return json;
  }

 private:
  std::size_t texts() const {
    std::size_t count = 0;
    for (const FeedFiles& column : columns_) count += column.texts();
    return count;
  }

  // Of the first sample that can be read: what is missing there is made.
  void find_made() {
    if (!rules_.makes_any()) return;
    for (const std::size_t row : chosen_) {
      std::vector<Tensor> tensors(feeds_);
      try {
        for (const FeedFiles& column : columns_) column.load(column.size() == 1 ? 0 : row, tensors);
      } catch (const Error&) {
        continue;  // load() reports it
      }
      for (std::size_t feed = 0; feed < feeds_; ++feed)
        if (!tensors[feed].defined()) made_.push_back(feed);
      return;
    }
  }

  Tensor made(std::size_t feed, const std::vector<Tensor>& given) const {
    const Tensor& ids = given[*rules_.ids()];
    if (!ids.defined() || ids.rank() != 2)
      throw Error(Code::data, "no token ids to make the other inputs by",
                  "Save one array for each input, by its name.");
    return rules_.make(feed, ids, texts() > 0 ? reader_->padding() : std::nullopt);
  }

  std::size_t row(const FeedFiles& column, std::size_t i) const {
    return column.size() == 1 ? 0 : chosen_[i];
  }

  std::vector<FeedFiles> columns_;
  std::size_t feeds_;
  TokenInputs rules_;
  std::optional<TextReader> reader_;
  std::vector<std::size_t> made_;  // feeds
  std::vector<IndexBound> bounds_;
  std::string wanted_;
  const FeedFiles* lead_ = nullptr;  // the one that samples are named after
  std::vector<std::size_t> listed_;  // rows: of all shards
  std::vector<std::size_t> chosen_;  // rows: of this one
};

// What is given as data, by the feed it is bound to; feeds.size() for those without a name.
std::map<std::size_t, std::vector<std::string>> by_feed(const std::vector<std::string>& arguments,
                                                        std::span<const Value* const> feeds) {
  std::map<std::size_t, std::vector<std::string>> bound;
  for (const std::string& argument : arguments) {
    std::size_t feed = 0;
    for (; feed < feeds.size(); ++feed)
      if (argument.starts_with(feeds[feed]->name() + "=")) break;
    const auto equals = argument.find('=');
    std::error_code failed;
    if (feed < feeds.size()) {
      bound[feed].push_back(argument.substr(feeds[feed]->name().size() + 1));
    } else if (equals == std::string::npos || std::filesystem::exists(argument, failed)) {
      bound[feed].push_back(argument);
    } else {
      std::vector<std::string> names;
      for (const Value* value : feeds) names.push_back(value->name());
      throw Error(Code::usage,
                  fmt::format("`data` {}: the model has no input '{}'", argument,
                              argument.substr(0, equals)),
                  fmt::format("Its inputs: {}.", fmt::join(names, ", ")));
    }
  }
  return bound;
}

std::vector<DataFile> find_all(const std::vector<std::string>& paths, bool texts) {
  std::vector<DataFile> files;
  for (const std::string& path : paths) {
    const auto found = find_data(path, texts);
    files.insert(files.end(), found.begin(), found.end());
  }
  sort_data(files);
  return files;
}

// The inputs that data without a name are for. What a rule makes need not be among them, as long as
// token ids are.
std::vector<FeedSlot> unbound_slots(const std::map<std::size_t, std::vector<std::string>>& bound,
                                    std::span<const Value* const> feeds, const TokenInputs& rules) {
  const bool unnamed = bound.contains(feeds.size());
  std::vector<FeedSlot> unbound;
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (!bound.contains(i))
      unbound.push_back({i, FeedType(*feeds[i]), rules.makes(i), rules.refusal(i)});
  if (unbound.empty() && unnamed)
    throw Error(Code::usage,
                fmt::format("`data` {}: every input is bound to a name already",
                            bound.at(feeds.size()).front()),
                "Name the input it is for: `data NAME=PATH`.");
  if (unbound.size() == 1 && unnamed) unbound.front().optional = false;
  for (const FeedSlot& slot : unbound) {
    if (unnamed || slot.optional) continue;
    throw Error(Code::data,
                fmt::format("input '{}' has no data{}", slot.type.name,
                            slot.refusal.empty() ? "" : ", and is not made: " + slot.refusal),
                fmt::format("Give `data` {}=PATH.", slot.type.name));
  }
  return unbound;
}

std::optional<TextReader> reader_of(const TextSpec& spec, const TokenInputs& rules) {
  if (spec.tokenizer.empty()) {
    if (!spec.length) return std::nullopt;
    throw Error(Code::usage, "`sequence-length` is that of texts, and no tokenizer is given",
                "Give `tokenizer FILE`, the tokenizer.json of the model.");
  }
  if (!rules.ids())
    throw Error(Code::usage, "`tokenizer`: the model has no input of token ids",
                "Leave `tokenizer` out.");
  return TextReader(spec, rules.fixed_length());
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DataSpec& spec, std::span<const Value* const> feeds) {
  if (spec.paths.empty())
    throw Error(Code::data, "no data", "Give `data` with images, arrays or a folder of them.");
  if (feeds.empty()) throw Error(Code::data, "the model has no input that data could feed");
  if (spec.limit == 0) throw Error(Code::usage, "`limit 0`: expected at least 1");

  const auto bound = by_feed(spec.paths, feeds);
  TokenInputs rules(feeds);
  const std::vector<FeedSlot> unbound = unbound_slots(bound, feeds, rules);
  const std::optional<TextReader> reader = reader_of(spec.text, rules);
  std::vector<FeedFiles> columns;
  for (const auto& [feed, paths] : bound) {
    const auto slots =
        feed < feeds.size() ? std::vector<FeedSlot>{{feed, FeedType(*feeds[feed])}} : unbound;
    columns.emplace_back(find_all(paths, reader.has_value()), slots, spec.recipe, spec.batches,
                         reader ? &*reader : nullptr);
  }
  return std::make_unique<FileDataset>(std::move(columns), feeds, spec, std::move(rules), reader);
}

bool reads_images(const std::vector<std::string>& paths, std::span<const Value* const> feeds,
                  bool texts) {
  for (const auto& [feed, bound] : by_feed(paths, feeds))
    for (const std::string& path : bound)
      for (const DataFile& file : find_data(path, texts))
        if (file.kind == DataKind::image) return true;
  return false;
}

Shard parse_shard(std::string_view text) {
  Shard shard;
  const std::size_t slash = text.find('/');
  const auto number = [](std::string_view digits, std::size_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (slash == std::string_view::npos || !number(text.substr(0, slash), shard.index) ||
      !number(text.substr(slash + 1), shard.of) || shard.index < 1 || shard.index > shard.of)
    throw Error(Code::usage, fmt::format("`shard` {}: expected I/N with 1 <= I <= N", text),
                "For example: `shard 2/4`.");
  return shard;
}

std::vector<std::string> fingerprints(const Dataset& dataset, std::size_t threads) {
  std::vector<std::string> prints(dataset.size());
  parallel_for(prints.size(), threads,
               [&](std::size_t, std::size_t i) { prints[i] = dataset.fingerprint(i); });
  std::sort(prints.begin(), prints.end());
  return prints;
}

std::string data_sha256(const Dataset& dataset, std::size_t threads) {
  Sha256 hash;
  for (const std::string& print : fingerprints(dataset, threads)) hash.add(print);
  return hash.hex();
}

}  // namespace intaglio
