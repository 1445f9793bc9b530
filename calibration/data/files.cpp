#include "calibration/data/files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/io_error.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

constexpr const char* usable = "Give images (.jpg, .png, .bmp), .npy, .npz or .pb files.";

const std::map<std::string, DataKind, std::less<>> kinds = {
    {".npy", DataKind::npy},    {".npz", DataKind::npz},    {".pb", DataKind::pb},
    {".jpg", DataKind::image},  {".jpeg", DataKind::image}, {".png", DataKind::image},
    {".bmp", DataKind::image},  {".gif", DataKind::image},  {".webp", DataKind::image},
    {".tif", DataKind::image},  {".tiff", DataKind::image}, {".ppm", DataKind::image},
    {".pgm", DataKind::image},  {".avif", DataKind::image}, {".heic", DataKind::image},
    {".jfif", DataKind::image}, {".jxl", DataKind::image},  {".jp2", DataKind::image}};

std::string extension_of(const fs::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What cannot be looked at (a link to itself, a name that is too long) is no folder and
// not there: whoever reads it says why.
bool is_there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}
bool is_folder(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

bool is_test_set(const fs::path& folder) { return is_there(folder / "input_0.pb"); }

bool is_list(const fs::path& path, bool texts) { return !texts && extension_of(path) == ".txt"; }

// texts: a .txt is one.
DataKind kind_in_folder(const fs::path& path, bool texts) {
  return texts && extension_of(path) == ".txt" ? DataKind::text : kind_of(path);
}

std::vector<DataFile> find_in_folder(const fs::path& folder, bool texts) {
  if (is_test_set(folder)) return {{folder.lexically_normal(), DataKind::test_set}};
  std::vector<DataFile> files;
  std::map<std::string, int> passed_over;  // by extension
  fs::path at = folder;                    // exceptions of the iterator do not always say where
  try {
    for (fs::recursive_directory_iterator it(folder), end; it != end; ++it) {
      const fs::path path = at = it->path().lexically_normal();
      const bool hidden = path.filename().string().starts_with('.');
      const bool folder_inside = is_folder(path);
      const bool test_set = !hidden && folder_inside && is_test_set(path);
      if ((hidden || test_set) && folder_inside) it.disable_recursion_pending();
      if (test_set) files.push_back({path, DataKind::test_set});
      if (hidden || folder_inside) continue;
      const DataKind kind = kind_in_folder(path, texts);
      if (kind == DataKind::other)
        ++passed_over[path.has_extension() ? extension_of(path) : "no extension"];
      else
        files.push_back({path, kind});
    }
  } catch (const fs::filesystem_error& e) {
    throw Error(Code::io,
                fmt::format("{}: cannot read the folder: {}", at.string(), e.code().message()),
                "Check the permissions.");
  }
  if (!files.empty()) return files;
  std::vector<std::string> seen;
  for (const auto& [extension, count] : passed_over)
    seen.push_back(fmt::format("{} {}", count, extension));
  throw Error(
      Code::data,
      fmt::format("{}: no usable file: {}", folder.string(),
                  seen.empty() ? "it is empty" : fmt::format("found {}", fmt::join(seen, ", "))),
      usable);
}

std::vector<DataFile> find_in_list(const fs::path& list) {
  const std::string text = read_file(list);
  std::vector<DataFile> files;
  bool any_there = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const auto first = line.find_first_not_of(" \t\r"), last = line.find_last_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    const fs::path path =
        (list.parent_path() / line.substr(first, last - first + 1)).lexically_normal();
    std::error_code failed;
    any_there = any_there || fs::exists(path, failed);
    if (is_folder(path)) {
      const auto inner = find_in_folder(path, /*texts=*/false);
      files.insert(files.end(), inner.begin(), inner.end());
    } else {
      files.push_back({path, kind_of(path)});
    }
  }
  if (files.empty())
    throw Error(Code::data, fmt::format("{}: the list names no file", list.string()),
                "Write one path per line, relative to the list.");
  if (!any_there)
    throw Error(
        Code::data,
        fmt::format("{}: the list names no file that is there, such as '{}'", list.string(),
                    files.front().path.string()),
        "Write one path per line, relative to the list; for a text, give `tokenizer FILE`.");
  return files;
}

}  // namespace

DataKind kind_of(const fs::path& path) {
  const auto at = kinds.find(extension_of(path));
  return at == kinds.end() ? DataKind::other : at->second;
}

std::vector<DataFile> find_data(const fs::path& path, bool texts) {
  std::error_code failed;
  if (!fs::exists(path, failed))
    throw failed ? io_error(path, "cannot open", failed.value())
                 : Error(Code::io, fmt::format("{}: no such file or folder", path.string()),
                         "Check the path.");
  std::vector<DataFile> files;
  if (is_folder(path))
    files = find_in_folder(path, texts);
  else if (is_list(path, texts))
    files = find_in_list(path);
  else if (const DataKind kind = kind_of(path); kind != DataKind::other || texts)
    files = {{path.lexically_normal(), kind == DataKind::other ? DataKind::text : kind}};
  else
    throw Error(Code::data, fmt::format("{}: a file of unknown kind", path.string()), usable);
  sort_data(files);
  return files;
}

std::vector<fs::path> files_behind(const fs::path& path, bool texts) {
  std::vector<fs::path> all;
  std::vector<DataFile> files;
  try {
    const bool folder = is_folder(path), list = !folder && is_list(path, texts);
    if (folder || list) files = list ? find_in_list(path) : find_in_folder(path, texts);
    if (!folder) all.push_back(path);
    for (const DataFile& file : files) {
      if (file.kind != DataKind::test_set) all.push_back(file.path);
      if (file.kind == DataKind::test_set)
        for (const auto& entry : fs::directory_iterator(file.path)) all.push_back(entry.path());
    }
  } catch (const Error&) {  // no data there: said when it is read
  } catch (const fs::filesystem_error&) {
  }
  return all;
}

void sort_data(std::vector<DataFile>& files) {
  std::vector<std::pair<std::string, DataFile>> keyed;
  for (DataFile& file : files)
    keyed.emplace_back(fs::absolute(file.path).lexically_normal().string(), std::move(file));
  std::sort(keyed.begin(), keyed.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto end = std::unique(keyed.begin(), keyed.end(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
  if (end != keyed.end())
    log::warn("data: {} of {} files are given more than once; each is used once", keyed.end() - end,
              keyed.size());
  files.clear();
  for (auto it = keyed.begin(); it != end; ++it) files.push_back(std::move(it->second));
}

}  // namespace intaglio
