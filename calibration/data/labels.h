// Labels of samples and names of classes.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace intaglio {

// A CSV file (RFC 4180: quoted fields, "" for a quote) whose first line names the columns, among
// them `file` and `index`; other columns are ignored. `file` is a path relative to the folder of
// the CSV, or a sample of an array file, "batch.npy[3]".
class Labels {
 public:
  // Throws Code::io, and Code::data with the line for missing columns, a broken index or two labels
  // of one file.
  static Labels read(const std::filesystem::path& csv);

  std::size_t size() const { return by_file_.size(); }

  // The label of a sample (Dataset::name). A sample below the folder of the CSV is looked up by its
  // path from there; one elsewhere by the longest end of its path that a row has.
  std::optional<std::int64_t> find(std::string_view sample) const;
  // The same; throws Code::data, naming both files, when there is none.
  std::int64_t of(std::string_view sample) const;

 private:
  std::filesystem::path csv_, folder_;
  std::map<std::string, std::int64_t, std::less<>> by_file_;  // normalised, relative to folder_
};

struct ClassName {
  std::string id;  // "n01440764"; empty when the file has none
  std::string name;
};

// Class names by index. Either one name per line, counted from 0, or lines of fields separated by
// tabs: index, an optional id, and the name last; a first line that begins with no number is then a
// header. Throws Code::io and Code::data.
std::map<std::int64_t, ClassName> read_classes(const std::filesystem::path& tsv);

}  // namespace intaglio
