#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "calibration/statistics/statistics_file.h"

namespace intaglio {
namespace {

void require_same_work(const NamedStatistics& a, const NamedStatistics& b) {
  const auto refuse = [&](const char* what) {
    throw Error(Code::data,
                fmt::format("{} and {} were made with another {}", a.name, b.name, what),
                "Merge statistics of one model, target and preprocessing.");
  };
  if (a.file.model_hash != b.file.model_hash) refuse("model");
  if (a.file.target != b.file.target) refuse("target");
  if (a.file.preprocess != b.file.preprocess) refuse("preprocessing");
  const auto names = [](const StatisticsFile& file) {
    std::vector<std::string> list;
    for (const auto& [name, s] : file.observations.values) list.push_back(name);
    return list;
  };
  if (names(a.file) != names(b.file)) refuse("choice of values");
}

// Shards of other data were mostly equalized by others, too: what is told first is the cause.
void require_same_channels(const NamedStatistics& a, const NamedStatistics& b) {
  if (to_json(a.file.channels) != to_json(b.file.channels))
    throw Error(Code::data,
                fmt::format("{} and {} were made with another equalization", a.name, b.name),
                "Give 'calibrate `like FILE`' the same file for all of them.");
}

// --- Shards of one data set ---

void join_shards(const NamedStatistics& first, const NamedStatistics& next, Shards& all) {
  const Shards& more = *next.file.shards;
  if (more.of != all.of || more.list != all.list)
    throw Error(Code::data,
                fmt::format("{} and {} are shards of different data, or of another `limit` of it",
                            first.name, next.name),
                "Give every shard the same `data` and `limit`, and the same N in `shard I/N`.");
  for (const std::size_t i : more.have)
    if (!all.have.insert(i).second)
      throw Error(Code::data,
                  fmt::format("{}: shard {} of {} is there already", next.name, i, all.of),
                  "Give each shard once.");
}

void require_all(const Shards& shards) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 1; i <= shards.of; ++i)
    if (!shards.have.contains(i)) missing.push_back(i);
  if (missing.empty()) return;
  throw Error(Code::data,
              fmt::format("shard {} of {} is missing", fmt::join(missing, ", "), shards.of),
              "Give all of them, or `partial` to merge the rest later.");
}

// --- Whole data sets ---

void require_disjoint(const NamedStatistics& a, const NamedStatistics& b) {
  std::vector<std::string> common;
  std::set_intersection(a.file.fingerprints.begin(), a.file.fingerprints.end(),
                        b.file.fingerprints.begin(), b.file.fingerprints.end(),
                        std::back_inserter(common));
  if (common.empty()) return;
  throw Error(Code::data,
              fmt::format("{} and {} have {} sample(s) in common", a.name, b.name, common.size()),
              "Merge statistics of different samples, or shards of one run (`shard`).");
}

void append(StatisticsFile& all, const StatisticsFile& file) {
  const auto middle = static_cast<std::ptrdiff_t>(all.fingerprints.size());
  all.fingerprints.insert(all.fingerprints.end(), file.fingerprints.begin(),
                          file.fingerprints.end());
  std::inplace_merge(all.fingerprints.begin(), all.fingerprints.begin() + middle,
                     all.fingerprints.end());
  all.skipped.insert(all.skipped.end(), file.skipped.begin(), file.skipped.end());
  std::sort(all.skipped.begin(), all.skipped.end());
  all.observations.merge(file.observations);
  all.rebalanced = all.rebalanced && file.rebalanced;
}

}  // namespace

StatisticsFile merge(std::span<const NamedStatistics> files, bool partial) {
  StatisticsFile all = files.front().file;
  for (std::size_t i = 1; i < files.size(); ++i) {
    require_same_work(files.front(), files[i]);
    if (all.shards.has_value() != files[i].file.shards.has_value())
      throw Error(Code::data,
                  fmt::format("{} and {}: one is a shard, the other a whole data set",
                              files.front().name, files[i].name),
                  "Merge the shards first.");
    if (all.shards) {
      join_shards(files.front(), files[i], *all.shards);
    } else {
      for (std::size_t k = 0; k < i; ++k) require_disjoint(files[k], files[i]);
    }
    require_same_channels(files.front(), files[i]);
    append(all, files[i].file);
  }
  if (!all.shards) return all;
  if (!partial) require_all(*all.shards);
  if (all.shards->have.size() == all.shards->of)
    all.shards.reset();  // a whole run, and nothing else
  return all;
}

}  // namespace intaglio
