// Finding the files of the paths that name a data set.
#pragma once

#include <filesystem>
#include <vector>

namespace intaglio {

enum class DataKind {
  image,  // by extension, also of formats that cannot be decoded: they are reported, not overlooked
  npy,
  npz,
  pb,        // an ONNX TensorProto
  text,      // to be tokenized
  test_set,  // a folder with input_0.pb, input_1.pb, ...: ONNX's test_data_set_*
  other,     // a line of a list that names nothing usable
};

struct DataFile {
  std::filesystem::path path;  // as the user would find it from the working folder, normalised
  DataKind kind;
};

// What a file is, from its extension (in any case).
DataKind kind_of(const std::filesystem::path& path);

// path: a file, a test set, a folder (searched recursively; links to folders are not followed;
// names that begin with a dot and files of no known extension are passed over) or a list `.txt`
// with one such path per line, relative to the list, "#" before comments. The order is that of the
// paths as bytes, whatever order a list has; a file found twice is given once. A listed file that
// is missing is found all the same: it is a bad sample, not a bad list. With `texts` there are no
// lists: a `.txt` is text, in folders too, and so is a file of no known extension that path names.
// Throws Code::io when path does not exist, Code::data when it leads to no usable file, saying what
// is there instead.
std::vector<DataFile> find_data(const std::filesystem::path& path, bool texts = false);

// Every file that find_data() would read for path: the list itself and all files of test sets
// included, in no order. What is missing or cannot be looked into is left out.
std::vector<std::filesystem::path> files_behind(const std::filesystem::path& path,
                                                bool texts = false);

// Sorts by path and removes duplicates (the same path from the root); for the union of several.
void sort_data(std::vector<DataFile>& files);

}  // namespace intaglio
