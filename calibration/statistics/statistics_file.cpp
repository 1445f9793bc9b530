#include "calibration/statistics/statistics_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/hex.h"

namespace intaglio {
namespace {

constexpr std::string_view magic_family = "intaglio.statistics/";
constexpr std::string_view magic = "intaglio.statistics/1\n";
constexpr std::size_t digest_size = 32, length_size = 8;
constexpr const char* again = "Run 'intaglio calibrate' again.";

// --- Numbers as bytes ---

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads the payload from the front; what does not fit is damage that the checksum cannot have
// missed, so a bug or a forgery.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

  std::string_view take(std::size_t n) {
    if (bytes_.size() < n) fail();
    const std::string_view part = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return part;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }

  void expect_end() const {
    if (!bytes_.empty()) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(Code::data, fmt::format("{}: header and payload do not belong together", origin_),
                again);
  }

  std::string_view bytes_;
  const std::string& origin_;
};

// --- Header ---

Json finite_or_null(float value) { return std::isfinite(value) ? Json(value) : Json(); }

Json value_header(const std::string& name, const Statistics& s) {
  Json json = {{"name", name},
               {"min", finite_or_null(s.min)},
               {"max", finite_or_null(s.max)},
               {"count", s.count},
               {"zeros", s.zeros},
               {"subnormals", s.subnormals},
               {"nan", s.nans},
               {"inf", s.infs},
               {"samples", s.samples},
               {"sample_minima", s.sample_minima.words()},
               {"sample_maxima", s.sample_maxima.words()}};
  json["bins"] = s.histogram && !s.histogram->empty()
                     ? Json(s.histogram->last() - s.histogram->first() + 1)
                     : Json(s.histogram ? 0 : -1);
  return json;
}

Json input_header(const std::string& name, const DistinctValues& distinct) {
  Json counts = Json::array();
  for (const auto& [value, count] : distinct.counts()) counts.push_back({value, count});
  return {{"name", name}, {"too_many", distinct.too_many()}, {"counts", counts}};
}

Json header_of(const StatisticsFile& file) {
  Json json = {
      {"model", file.model_hash}, {"target", file.target}, {"preprocess", file.preprocess}};
  json["channels"] = to_json(file.channels);
  json["rebalanced"] = file.rebalanced;
  json["shards"] =
      file.shards
          ? Json{{"of", file.shards->of}, {"have", file.shards->have}, {"list", file.shards->list}}
          : Json();
  json["samples"] = file.observations.samples;
  json["fingerprints"] = file.fingerprints.size();
  json["skipped"] = Json::array();
  for (const SkippedFile& s : file.skipped)
    json["skipped"].push_back({{"file", s.file}, {"reason", s.reason}});
  json["values"] = Json::array();
  for (const auto& [name, s] : file.observations.values)
    json["values"].push_back(value_header(name, s));
  json["inputs"] = Json::array();
  for (const auto& [name, d] : file.observations.inputs)
    json["inputs"].push_back(input_header(name, d));
  return json;
}

ExactSum exact_sum(JsonObject& object, std::string_view key) {
  const auto words = object.get<std::vector<std::uint64_t>>(key);
  ExactSum::Words fixed{};
  if (words.size() != fixed.size()) object.fail(key, "expected 6 words");
  std::copy(words.begin(), words.end(), fixed.begin());
  return ExactSum::restored(fixed);
}

// Values that are finite have extremes, and others have none: a histogram between infinities has no
// bins to count in.
void require_extremes(const JsonObject& object, const Statistics& s) {
  if (s.nans > s.count || s.infs > s.count - s.nans || s.zeros > s.finite())
    object.fail("count", "is less than the values of its kinds");
  const bool extremes = std::isfinite(s.min) && std::isfinite(s.max) && s.min <= s.max;
  const bool none = s.min > s.max && std::isinf(s.min) && std::isinf(s.max);
  if (s.finite() > 0 ? !extremes : !none)
    object.fail("min", fmt::format("min {} and max {} are no extremes of {} finite values", s.min,
                                   s.max, s.finite()));
}

// The counts of bins, from that of min to that of max; they count every finite value that is not 0.
std::vector<std::uint64_t> read_bins(const JsonObject& object, std::size_t bins,
                                     const Statistics& s, Reader& payload) {
  std::vector<std::uint64_t> counts;
  std::uint64_t left = s.finite() - s.zeros;
  while (counts.size() < bins) {
    const std::uint64_t count = payload.varint();
    if (count > left) object.fail("bins", "count more values than there are");
    left -= count;
    counts.push_back(count);
    if (count == 0)
      counts.resize(counts.size() +
                    std::min<std::uint64_t>(payload.varint(), bins - counts.size()));
  }
  if (left > 0) object.fail("bins", "count fewer values than there are");
  return counts;
}

Statistics read_value(JsonObject object, Reader& payload) {
  Statistics s;
  if (!object.at("min").is_null()) s.min = object.get<float>("min");
  if (!object.at("max").is_null()) s.max = object.get<float>("max");
  s.count = object.get<std::uint64_t>("count");
  s.zeros = object.get<std::uint64_t>("zeros");
  s.subnormals = object.get<std::uint64_t>("subnormals");
  s.nans = object.get<std::uint64_t>("nan");
  s.infs = object.get<std::uint64_t>("inf");
  s.samples = object.get<std::uint64_t>("samples");
  require_extremes(object, s);
  s.sample_minima = exact_sum(object, "sample_minima");
  s.sample_maxima = exact_sum(object, "sample_maxima");
  const auto bins = object.get<int>("bins");
  if (bins > Histogram::capacity) object.fail("bins", "too many");
  object.done();
  if (bins == 0) s.histogram.emplace();
  if (bins <= 0) return s;
  if (s.finite() == 0) object.fail("bins", "counts values where there are none");
  s.histogram = Histogram::restored(s.min, s.max,
                                    read_bins(object, static_cast<std::size_t>(bins), s, payload));
  if (s.histogram->last() - s.histogram->first() + 1 != bins)
    object.fail("bins", "does not fit min and max");
  return s;
}

void put_histogram(std::string& out, const Histogram& h) {
  for (std::int64_t k = h.first(); k <= h.last(); ++k) {
    put_varint(out, h.count(k));
    if (h.count(k) != 0) continue;
    std::int64_t next = k + 1;
    while (next <= h.last() && h.count(next) == 0) ++next;
    put_varint(out, static_cast<std::uint64_t>(next - k - 1));
    k = next - 1;
  }
}

StatisticsFile read_header(const Json& json, const std::string& origin, Reader& payload) {
  JsonObject object(json, origin);
  StatisticsFile file;
  file.model_hash = object.get<std::string>("model");
  file.target = object.get<std::string>("target");
  file.preprocess = object.at("preprocess");
  file.channels = channels_from_json(object, "channels", origin);
  file.rebalanced = object.get<bool>("rebalanced", !file.channels.empty());
  if (!object.at("shards").is_null()) {
    JsonObject shards = object.object("shards");
    file.shards.emplace();
    file.shards->of = shards.get<std::size_t>("of");
    for (const std::size_t i : shards.get<std::vector<std::size_t>>("have"))
      file.shards->have.insert(i);
    file.shards->list = shards.get<std::string>("list");
    shards.done();
  }
  file.observations.samples = object.get<std::uint64_t>("samples");
  const auto prints = object.get<std::size_t>("fingerprints");
  for (std::size_t i = 0; i < prints; ++i)
    file.fingerprints.push_back(to_hex(payload.take(digest_size)));
  for (const Json& entry : object.at("skipped")) {
    JsonObject skipped(entry, origin, "$.skipped[]");
    file.skipped.push_back({skipped.get<std::string>("file"), skipped.get<std::string>("reason")});
    skipped.done();
  }
  for (const Json& entry : object.at("values")) {
    JsonObject value(entry, origin, "$.values[]");
    const auto name = value.get<std::string>("name");
    file.observations.values[name] = read_value(value, payload);
  }
  for (const Json& entry : object.at("inputs")) {
    JsonObject input(entry, origin, "$.inputs[]");
    std::map<float, std::uint64_t> counts;
    for (const Json& pair : input.at("counts")) {
      if (!pair.is_array() || pair.size() != 2) input.fail("counts", "expected pairs");
      counts[pair[0].get<float>()] = pair[1].get<std::uint64_t>();
    }
    file.observations.inputs[input.get<std::string>("name")] =
        DistinctValues::restored(std::move(counts), input.get<bool>("too_many"));
    input.done();
  }
  object.done();
  payload.expect_end();
  return file;
}

}  // namespace

std::string StatisticsFile::data_sha256() const {
  Sha256 hash;
  for (const std::string& print : fingerprints) hash.add(print);
  return hash.hex();
}

std::string to_bytes(const StatisticsFile& file) {
  const std::string header = header_of(file).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string bytes(magic);
  for (std::size_t i = 0; i < length_size; ++i)
    bytes.push_back(static_cast<char>(header.size() >> 8 * i));
  bytes += header;
  for (const std::string& print : file.fingerprints) bytes += *from_hex(print);
  for (const auto& [name, s] : file.observations.values)
    if (s.histogram && !s.histogram->empty()) put_histogram(bytes, *s.histogram);
  return bytes + *from_hex(sha256(bytes));
}

StatisticsFile statistics_from_bytes(std::span<const std::byte> bytes, const std::string& origin) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(magic_family))
    throw Error(Code::data, fmt::format("{}: not a file of statistics", origin),
                "Make one with 'intaglio calibrate'.");
  if (!text.starts_with(magic))
    throw Error(Code::data,
                fmt::format("{}: is of version {}, this program reads 1", origin,
                            text.substr(magic_family.size(),
                                        text.substr(magic_family.size(), 12).find('\n'))),
                again);
  if (text.size() < magic.size() + length_size + digest_size)
    throw Error(Code::data, fmt::format("{}: is cut off", origin), again);
  const std::string_view body = text.substr(0, text.size() - digest_size);
  if (*from_hex(sha256(body)) != text.substr(body.size()))
    throw Error(Code::data,
                fmt::format("{}: is cut off or damaged: its checksum does not match", origin),
                again);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(body[magic.size() + i])} << 8 * i;
  Reader reader(body.substr(magic.size() + length_size), origin);
  const std::string_view header = reader.take(length);
  try {
    return read_header(parse_json(header, origin), origin, reader);
  } catch (const Json::exception& e) {
    throw Error(Code::data,
                fmt::format("{}: its header is no JSON of this kind: {}", origin, e.what()), again);
  } catch (const Error& e) {  // its own checksum says that it was written so
    throw Error(e.code() == Code::config ? Code::io : e.code(), e.what(), again);
  }
}

StatisticsFile read_statistics(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  return statistics_from_bytes(std::span(bytes.data.get(), bytes.size), path.string());
}

bool is_statistics_file(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  return std::string_view(reinterpret_cast<const char*>(bytes.data.get()), bytes.size)
      .starts_with(magic_family);
}

}  // namespace intaglio
