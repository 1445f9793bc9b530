// Data sets: what is fed to a model, sample by sample.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/data/preprocess.h"
#include "calibration/data/samples.h"
#include "calibration/tokens/text_rows.h"

namespace intaglio {

// The seam to the world. The order of samples is part of the data set, and the same for every order
// in which files were named or listed. All functions may be called from many threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::size_t size() const = 0;

  // "images/cat.jpg", "batch.npy[3]": for messages, for labels (labels.h).
  virtual std::string name(std::size_t i) const = 0;

  // One tensor for each feed of the model, in order. Throws Error (Code::data or Code::io, message
  // starting with "<name>: ") when this sample is unusable: others may not be, see
  // checked_dataset.h.
  virtual std::vector<Tensor> load(std::size_t i) const = 0;

  // SHA-256 of what the sample was made from: the bytes of an image file, the elements of arrays.
  // Independent of names and places. An unreadable sample has the fingerprint of its fault.
  virtual std::string fingerprint(std::size_t i) const = 0;

  // SHA-256 over the names of all samples, those of other shards included, without their folders:
  // two data sets with the same list can hold shards of one run.
  virtual std::string list_sha256() const = 0;

  // The inputs that a sample is for, as a sentence with names, types and shapes; empty: not known.
  virtual std::string wanted() const { return {}; }

  // Warnings that concern the samples that were loaded so far.
  virtual std::vector<std::string> remarks() const { return {}; }

  // The settled recipe by which images become feeds; null when there are no images.
  virtual Json preprocess() const = 0;

  // How texts became token ids, and which inputs were made by rule because the data do not hold
  // them; null without either. The keys are those of TextReader::to_json() where there are texts
  // ("texts", "left_over": how many, and the tokens at their ends that made no sequence), and
  // "made", a sentence.
  virtual Json tokens() const { return nullptr; }
};

// Every of-th sample, starting at number `index` (1..of): one machine's part of the work.
struct Shard {
  std::size_t index = 1, of = 1;
  bool holds(std::size_t i) const { return i % of + 1 == index; }
};
Shard parse_shard(std::string_view text);  // "2/4"; throws Code::usage

struct DataSpec {
  // "PATH", or "NAME=PATH" to bind to the model input NAME. PATH: see files.h. The union of
  // several.
  std::vector<std::string> paths;
  std::optional<std::size_t>
      limit;  // that many samples, spread evenly: numbers floor((i + 1/2) total / limit)
  PreprocessRecipe recipe;  // for images
  Batches batches = Batches::split;
  // Of the samples that the limit leaves: only those of a shard, or all but those of one.
  std::optional<Shard> shard = std::nullopt, without = std::nullopt;
  // In place of those that the limit takes, as many of the others, spread evenly.
  std::optional<std::size_t> others = std::nullopt;
  // Of all that, at most so many, spread evenly.
  std::optional<std::size_t> most = std::nullopt;
  TextSpec text = {};  // how texts become token ids; without a tokenizer a `.txt` is a list
};

// feeds: the model inputs to be fed, Graph::feeds(); used during the call only.
//
// A path without a name feeds all inputs that no name is bound to. Is that one input, anything
// does; an .npz holds one array (of any name) or the array of the input's name. Are they several,
// it must be .npz files with an array per input name, or test sets with input_<k>.pb for the k-th
// feed of the model. Inputs with names and the others must have as many samples as each other; one
// sample alone is repeated for all (a constant state or sampling rate). A model of token ids needs no
// more than those: what token_inputs.h has a rule for is made by it where the data do not hold it.
// Texts feed the input of token ids.
//
// Throws what TextReader throws; Code::io for a path that does not exist; Code::usage for a NAME that is no input and a
// limit of 0; Code::config when the recipe does not fit the input; Code::data when there is no
// data, an input without data, or numbers of samples disagree. A file that cannot be read or does
// not fit is no error here: it is one sample whose load() throws.
std::unique_ptr<Dataset> open_dataset(const DataSpec& spec, std::span<const Value* const> feeds);

// Whether an image is among the files behind such paths, bound to names or not. Throws what
// open_dataset() throws for paths and names. texts: they are read (TextSpec).
bool reads_images(const std::vector<std::string>& paths, std::span<const Value* const> feeds,
                  bool texts = false);

// The fingerprints of all samples, sorted: the same for any order of the same data.
std::vector<std::string> fingerprints(const Dataset& dataset, std::size_t threads);
std::string data_sha256(const Dataset& dataset, std::size_t threads);  // over all of them

}  // namespace intaglio
