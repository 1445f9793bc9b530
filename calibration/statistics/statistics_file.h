// The file of statistics that calibrate writes, merge joins, and quantize and compare read.
//
// Layout (docs/statistics.md): the line "intaglio.statistics/1\n"; the length of the header, 8
// bytes, little-endian; the header, JSON; the payload; SHA-256 of all that, 32 bytes. The payload
// holds the fingerprints of the samples, 32 bytes each, and the bins of each histogram from its
// first to its last as LEB128 numbers, a 0 being followed by how many more zeros there are.
//
// The file is a function of model, plan, preprocessing and the multiset of samples: shards merge
// into the bytes that a single run writes. Nothing in it tells of paths, machines or threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "calibration/data/checked_dataset.h"
#include "calibration/statistics/statistics.h"
#include "lib/base/json.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Which part of a data set was observed: every of-th sample, starting at the numbers of `have`
// (1..of).
struct Shards {
  std::size_t of = 1;
  std::set<std::size_t> have;
  std::string list;  // SHA-256 over the names of all samples: shards of other data do not match
  bool operator==(const Shards&) const = default;
};

struct StatisticsFile {
  std::string model_hash;                 // of the prepared model
  std::string target;                     // that the plan was drafted for
  Json preprocess;                        // the settled recipe; null without images
  std::vector<ChannelPlan> channels;      // how the model was rebalanced before it was observed
  bool rebalanced = false;                // whether that was tried: it may have changed nothing
  std::optional<Shards> shards;           // nullopt: all of a data set
  std::vector<std::string> fingerprints;  // of the samples, sorted
  std::vector<SkippedFile> skipped;       // sorted by file
  Observations observations;

  std::string data_sha256() const;  // as in reports
};

std::string to_bytes(const StatisticsFile& file);

// Throws Code::data naming `origin`: not such a file, another version, cut off, damaged.
StatisticsFile statistics_from_bytes(std::span<const std::byte> bytes, const std::string& origin);
StatisticsFile read_statistics(const std::filesystem::path& path);  // and Code::io
bool is_statistics_file(const std::filesystem::path& path);

// The union of shards of one data set, or of several data sets. Throws Code::data when files are of
// another model, target or preprocessing than the first; when shards overlap (which); when some are
// missing (which), unless `partial`; when whole data sets have samples in common; when the model
// was rebalanced differently.
struct NamedStatistics {
  std::string name;  // for messages
  StatisticsFile file;
};
StatisticsFile merge(std::span<const NamedStatistics> files, bool partial);

}  // namespace intaglio
