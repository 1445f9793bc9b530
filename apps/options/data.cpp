#include "apps/options/data.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/options/count.h"
#include "apps/options/group.h"

namespace intaglio {

void add_data_options(CLI::App& command, DataOptions& o, bool required) {
  begin_group(command, group::data);
  command
      .add_option("--data", o.data,
                  "Image, folder, list (.txt), .npy, .npz, .pb or test_data_set_*, or text with "
                  "--tokenizer; "
                  "NAME=PATH for one input")
      ->type_name("PATH")
      ->required(required);
  command.add_option("--limit", o.limit, "Take N samples, spread evenly over the sorted list")
      ->type_name("N")
      ->check(at_least_one());
  CLI::Option* tokenizer =
      command
          .add_option("--tokenizer", o.text.tokenizer,
                      "Read .txt as text, and make token ids of it: a tokenizer.json")
          ->type_name("FILE");
  command
      .add_option(
          "--sequence-length", o.text.length,
          fmt::format("Tokens of a sequence; of lines, at most (default {})", default_length))
      ->type_name("N")
      ->needs(tokenizer);
  command
      .add_option(
          "--preprocess", o.preprocess,
          "Preset (tf, imagenet, caffe, unit, raw, detector, text-line) or recipe file (.json); "
          "default: the model's metadata, else imagenet")
      ->type_name("NAME|FILE");
  command
      .add_option("--resize", o.resize,
                  "Shorter side N, exact WxH, height xH, or none: images as they are")
      ->type_name("N|WxH|xH|none");
  command.add_option("--crop", o.crop, "Centre crop (default: the model's input)")
      ->type_name("N|WxH");
  command.add_flag("--letterbox", o.letterbox,
                   "Fit the whole image into the crop and pad the rest");
  command.add_option("--mean", o.mean, "Subtracted after scaling, per channel: 104,117,123")
      ->type_name("LIST");
  command.add_option("--std", o.deviation, "Divided by, per channel")->type_name("LIST");
  command.add_option("--channels", o.channels, "Order of the channels")
      ->check(CLI::IsMember(words_of<Channels>()));
  command.add_option("--layout", o.layout, "Layout of the model's input")
      ->check(CLI::IsMember(words_of<ImageLayout>()));
}

void add_name_options(CLI::App& command, DataOptions& o) {
  command
      .add_option("--classes", o.classes,
                  "Names of the classes, for the page: one a line, or index<TAB>id<TAB>name")
      ->type_name("TSV");
  command
      .add_option("--characters", o.characters,
                  "Characters of a text recognizer, for the page: one a line, without the blank")
      ->type_name("FILE");
}

void add_label_options(CLI::App& command, DataOptions& o) {
  begin_group(command, group::data);
  command.add_option("--labels", o.labels, "CSV with columns file,index")->type_name("CSV");
}

}  // namespace intaglio
