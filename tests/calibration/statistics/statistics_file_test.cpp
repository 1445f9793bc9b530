// Files of statistics: read back, damaged, merged.
#include "calibration/statistics/statistics_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "lib/base/hash.h"
#include "lib/base/hex.h"

namespace intaglio {
namespace {

constexpr std::size_t samples = 13;

std::vector<float> sample(std::size_t i) {
  std::mt19937 engine(static_cast<unsigned>(i));
  std::normal_distribution<float> normal(0, static_cast<float>(1 + i % 3));
  std::vector<float> values(500);
  for (float& v : values) v = std::max(normal(engine), -0.5f);
  return values;
}

// What calibrate would find in the samples that a shard holds.
StatisticsFile statistics(Shard shard = {}) {
  StatisticsFile file;
  file.model_hash = sha256("model");
  file.target = "onnxruntime";
  file.preprocess = Json{{"name", "tf"}};
  if (shard.of > 1) file.shards = Shards{shard.of, {shard.index}, sha256("list")};
  Statistics& s = file.observations.values["x"];
  s.histogram.emplace();
  file.observations.values["empty"].histogram.emplace();
  for (std::size_t i = 0; i < samples; ++i) {
    if (!shard.holds(i)) continue;
    s.add_sample(sample(i));
    file.observations.inputs["x"].add(std::vector<float>{0, float(i), 0.5f});
    file.fingerprints.push_back(sha256(std::to_string(i)));
    ++file.observations.samples;
  }
  std::sort(file.fingerprints.begin(), file.fingerprints.end());
  if (shard.holds(4)) file.skipped.push_back({"bad.jpg", "is no image"});
  return file;
}

StatisticsFile read_back(const StatisticsFile& file) {
  const std::string bytes = to_bytes(file);
  return statistics_from_bytes(std::as_bytes(std::span(bytes)), "test");
}

std::string message(std::string bytes) {
  try {
    statistics_from_bytes(std::as_bytes(std::span(bytes)), "test.statistics");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    return e.what();
  }
  return "no error";
}

std::string merge_message(const std::vector<NamedStatistics>& files, bool partial = false) {
  try {
    merge(files, partial);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    return e.what();
  }
  return "no error";
}

TEST(StatisticsFile, IsReadBack) {
  const StatisticsFile file = statistics({2, 3}), read = read_back(file);
  EXPECT_EQ(read.observations.values, file.observations.values);
  EXPECT_EQ(read.observations.inputs.at("x").counts(), file.observations.inputs.at("x").counts());
  EXPECT_EQ(read.shards, file.shards);
  EXPECT_EQ(read.skipped, file.skipped);
  EXPECT_EQ(read.preprocess, file.preprocess);
  EXPECT_EQ(read.data_sha256(), file.data_sha256());
  EXPECT_EQ(to_bytes(read), to_bytes(file));
}

TEST(StatisticsFile, EveryDamagedByteIsNoticed) {
  const std::string bytes = to_bytes(statistics());
  EXPECT_NE(message("hello"), "no error");
  EXPECT_NE(message("").find("not a file of statistics"), std::string::npos);
  EXPECT_NE(message("intaglio.statistics/9\nxyz").find("version 9"), std::string::npos);
  for (std::size_t at = 0; at < bytes.size(); at += 97) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_NE(message(damaged), "no error") << at;
    EXPECT_NE(message(bytes.substr(0, at)), "no error") << at;
  }
}

// A file whose checksum is right and whose contents contradict themselves.
std::string said_of(const std::string& text, const std::string& instead) {
  std::string bytes = to_bytes(statistics());
  bytes.resize(bytes.size() - 32);
  const std::size_t at = bytes.find(text, bytes.find("\"name\":\"x\""));
  EXPECT_NE(at, std::string::npos) << text;
  const std::size_t end = bytes.find_first_of(",}", at + text.size());
  bytes.replace(at + text.size(), end - at - text.size(),
                std::string(end - at - text.size() - instead.size(), ' ') + instead);
  bytes += *from_hex(sha256(bytes));
  try {
    statistics_from_bytes(std::as_bytes(std::span(bytes)), "test.statistics");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::io) << e.what();
    return e.what();
  }
  return "no error";
}

TEST(StatisticsFile, FiniteValuesHaveExtremes) {
  for (const char* key : {"\"min\":", "\"max\":"})
    EXPECT_NE(said_of(key, "null").find("no extremes of 6500 finite values"), std::string::npos)
        << key;
  EXPECT_NE(said_of("\"min\":", "9e30").find("no extremes"), std::string::npos);
  EXPECT_NE(said_of("\"count\":", "0").find("no extremes of 0 finite values"), std::string::npos);
}

TEST(StatisticsFile, BinsCountAsManyValuesAsThereAre) {
  EXPECT_NE(said_of("\"nan\":", "9").find("bins: count more values than there are"),
            std::string::npos);
  EXPECT_NE(said_of("\"count\":", "6501").find("bins: count fewer values than there are"),
            std::string::npos);
}

TEST(StatisticsFile, NestingHasALimit) {
  std::string bytes = to_bytes(statistics());
  bytes.resize(bytes.size() - 32);
  const std::string recipe = R"({"name":"tf"})";
  const auto at = bytes.find(recipe);
  ASSERT_NE(at, std::string::npos);
  const std::string nested = std::string(100'000, '[') + std::string(100'000, ']');
  bytes.replace(at, recipe.size(), nested);
  std::uint64_t length = 0;  // of the header, behind the first line
  for (int i = 0; i < 8; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(bytes[22 + static_cast<std::size_t>(i)])}
              << 8 * i;
  length += nested.size() - recipe.size();
  for (std::size_t i = 0; i < 8; ++i) bytes[22 + i] = static_cast<char>(length >> 8 * i);
  bytes += *from_hex(sha256(bytes));
  try {
    statistics_from_bytes(std::as_bytes(std::span(bytes)), "test.statistics");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "test.statistics: nests deeper than 512 levels");
  }
}

TEST(Merge, ShardsInAnyOrderGiveTheBytesOfOneRun) {
  const std::string whole = to_bytes(statistics());
  std::vector<NamedStatistics> shards;
  for (std::size_t i = 1; i <= 4; ++i)
    shards.push_back({"s" + std::to_string(i), read_back(statistics({i, 4}))});
  std::mt19937 engine(2);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(shards.begin(), shards.end(), engine);
    EXPECT_EQ(to_bytes(merge(shards, false)), whole);
    // In two steps.
    const StatisticsFile half = merge(std::span(shards).first(2), true);
    EXPECT_EQ(half.shards->have.size(), 2u);
    EXPECT_EQ(
        to_bytes(merge(std::vector<NamedStatistics>{{"half", half}, shards[2], shards[3]}, false)),
        whole);
  }
}

TEST(Merge, NamesWhatOverlapsAndWhatIsMissing) {
  const NamedStatistics first{"a", statistics({1, 4})}, second{"b", statistics({2, 4})},
      other{"c", statistics({1, 3})};
  EXPECT_NE(merge_message({first, second}).find("shard 3, 4 of 4 is missing"), std::string::npos);
  EXPECT_EQ(merge_message({first, second}, true), "no error");
  EXPECT_NE(merge_message({first, second, {"d", statistics({2, 4})}})
                .find("d: shard 2 of 4 is there already"),
            std::string::npos);
  EXPECT_NE(merge_message({first, other}).find("shards of different data"), std::string::npos);
  EXPECT_NE(merge_message({first, {"e", statistics()}}).find("one is a shard"), std::string::npos);
  EXPECT_NE(
      merge_message({{"f", statistics()}, {"g", statistics()}}).find("13 sample(s) in common"),
      std::string::npos);
}

TEST(Merge, RefusesOtherModelsTargetsAndRecipes) {
  const NamedStatistics a{"a", statistics({1, 2})};
  NamedStatistics b{"b", statistics({2, 2})};
  b.file.model_hash = sha256("another");
  EXPECT_NE(merge_message({a, b}).find("another model"), std::string::npos);
  b = {"b", statistics({2, 2})};
  b.file.preprocess["name"] = "imagenet";
  EXPECT_NE(merge_message({a, b}).find("another preprocessing"), std::string::npos);
  b = {"b", statistics({2, 2})};
  b.file.target = "tensorrt";
  EXPECT_NE(merge_message({a, b}).find("another target"), std::string::npos);
}

TEST(Shard, IsParsedStrictly) {
  EXPECT_EQ(parse_shard("2/4").index, 2u);
  for (const char* text : {"0/4", "5/4", "2", "2/", "a/b", "2/4/6", "-1/4"})
    EXPECT_THROW(parse_shard(text), Error) << text;
}

}  // namespace
}  // namespace intaglio
