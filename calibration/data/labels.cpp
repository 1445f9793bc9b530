#include "calibration/data/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> parse_index(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

// Takes the next record off the text; `line` counts the lines it spans.
std::vector<std::string> take_record(std::string_view& text, int& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\n') ++line;
    if (quoted && c == '"' && text.starts_with('"')) {
      fields.back() += '"';
      text.remove_prefix(1);
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      fields.emplace_back();
    } else if (!quoted && c == '\n') {
      break;
    } else if (quoted || c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";  // what spreadsheets put in front of UTF-8
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

Labels Labels::read(const fs::path& csv) {
  const std::string bytes = read_file(csv);
  std::string_view text = without_mark(bytes);
  int line = 1;
  const auto fail = [&](int where, const std::string& reason) {
    return Error(Code::data, fmt::format("{}:{}: {}", csv.string(), where, reason),
                 "A labels file has a line 'file,index' and then one line per image.");
  };
  const auto header = take_record(text, line);
  const auto column = [&](std::string_view name) {
    const auto at = std::find(header.begin(), header.end(), name);
    if (at == header.end())
      throw fail(1, fmt::format("no column '{}' among {}", name, fmt::join(header, ", ")));
    return static_cast<std::size_t>(at - header.begin());
  };
  const std::size_t file = column("file"), index = column("index");

  Labels labels;
  labels.csv_ = csv;
  labels.folder_ = fs::weakly_canonical(fs::absolute(csv).parent_path());
  while (!text.empty()) {
    const int where = line;
    const auto fields = take_record(text, line);
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (fields.size() <= std::max(file, index)) throw fail(where, "too few columns");
    const auto value = parse_index(fields[index]);
    if (!value || fields[file].empty())
      throw fail(where, fmt::format("'{}' is not the index of a class", fields[index]));
    // An absolute path that leads into the folder is made relative to it; operator/ keeps one as it
    // is.
    const auto path = (labels.folder_ / fields[file]).lexically_normal();
    const auto relative = path.lexically_relative(labels.folder_);
    const auto [at, fresh] = labels.by_file_.emplace(relative.generic_string(), *value);
    if (!fresh && at->second != *value)
      throw fail(where, fmt::format("'{}' has two labels", at->first));
  }
  if (labels.by_file_.empty()) throw fail(line, "no labels");
  return labels;
}

std::optional<std::int64_t> Labels::find(std::string_view sample) const {
  // Links to folders are resolved; a file that is a link counts where it lies.
  const fs::path given = fs::absolute(sample);
  const fs::path path = fs::weakly_canonical(given.parent_path()) / given.filename();
  const fs::path relative = path.lexically_relative(folder_);
  if (const auto at = by_file_.find(relative.generic_string()); at != by_file_.end())
    return at->second;
  if (!relative.empty() && *relative.begin() != "..") return std::nullopt;
  for (std::string_view end = path.native(); !end.empty();) {
    const auto slash = end.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    end.remove_prefix(slash + 1);
    if (const auto at = by_file_.find(end); at != by_file_.end()) return at->second;
  }
  return std::nullopt;
}

std::int64_t Labels::of(std::string_view sample) const {
  if (const auto label = find(sample)) return *label;
  throw Error(Code::data, fmt::format("{}: has no label in {}", sample, csv_.string()),
              "Add a line for it, or take the image out of the data.");
}

std::map<std::int64_t, ClassName> read_classes(const fs::path& tsv) {
  const std::string bytes = read_file(tsv);
  std::vector<std::string> lines = split(without_mark(bytes), '\n');
  for (std::string& line : lines)
    if (line.ends_with('\r')) line.pop_back();
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) throw Error(Code::data, fmt::format("{}: no class names", tsv.string()));
  const bool tabs = lines.front().find('\t') != std::string::npos;
  std::map<std::int64_t, ClassName> classes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!tabs) {
      classes[static_cast<std::int64_t>(i)] = {"", lines[i]};
      continue;
    }
    const auto fields = split(lines[i], '\t');
    const auto index = parse_index(fields.front());
    if (!index && i == 0) continue;
    if (!index || fields.size() < 2 || classes.contains(*index))
      throw Error(
          Code::data,
          fmt::format("{}:{}: expected an index of its own, an id and a name", tsv.string(), i + 1),
          "Separate the fields with tabs, or write one name per line.");
    classes[*index] = {fields.size() > 2 ? fields[1] : "", fields.back()};
  }
  return classes;
}

}  // namespace intaglio
