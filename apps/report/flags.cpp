#include "apps/report/flags.h"

#include <algorithm>
#include <array>

namespace intaglio {
namespace {

using namespace std::string_view_literals;

constexpr std::array settings = {
    "activations"sv,
    "batch"sv,
    "channels"sv,
    "contrib"sv,
    "crop"sv,
    "ctc-blank"sv,
    "data"sv,
    "decoder"sv,
    "effort"sv,
    "exclude"sv,
    "exclude-op"sv,
    "float-output"sv,
    "float16"sv,
    "follow-links"sv,
    "format"sv,
    "granularity"sv,
    "group"sv,
    "head"sv,
    "include"sv,
    "include-op"sv,
    "io"sv,
    "keep-as"sv,
    "labels"sv,
    "layout"sv,
    "like"sv,
    "limit"sv,
    "max-memory"sv,
    "mean"sv,
    "metric"sv,
    "min-cosine"sv,
    "nms-iou"sv,
    "nodes"sv,
    "nonfinite"sv,
    "partial"sv,
    "preprocess"sv,
    "ranges"sv,
    "reduce-range"sv,
    "reference"sv,
    "resize"sv,
    "save-plan"sv,
    "score-threshold"sv,
    "sequence-length"sv,
    "shape"sv,
    "shard"sv,
    "symmetric"sv,
    "table"sv,
    "target"sv,
    "threads"sv,
    "tokenizer"sv,
    "weights"sv,
    "weights-of"sv,
};
static_assert(std::ranges::is_sorted(settings));

// Where documents hold sentences, alone or in lists.
constexpr std::array sentence_keys = {
    "advice"sv,           "hint"sv,   "hints"sv,  "left_out"sv, "missed"sv,   "notes"sv,
    "precision_reason"sv, "reason"sv, "remedy"sv, "undone"sv,   "warnings"sv,
};
static_assert(std::ranges::is_sorted(sentence_keys));

// text: what follows a backquote. The setting there and what is given to it, without the closing
// backquote; empty: it is something else.
std::string_view setting_at(std::string_view text) {
  const std::string_view setting = text.substr(0, std::min(text.find('`'), text.size()));
  if (setting.size() == text.size()) return {};
  return std::ranges::binary_search(settings, setting.substr(0, setting.find(' '))) ? setting
                                                                                    : ""sv;
}

// sentence: it stands where documents hold sentences.
void spell(Json& json, bool sentence) {
  if (json.is_string() && sentence) json = with_flags(json.get_ref<const std::string&>());
  if (json.is_array())
    for (Json& element : json) spell(element, sentence);
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items())
    if (key != "metadata")  // the model's own, with any keys
      spell(value, std::ranges::binary_search(sentence_keys, std::string_view(key)));
}

}  // namespace

std::span<const std::string_view> named_settings() { return settings; }

std::string with_flags(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view setting =
        text[i] == '`' ? setting_at(text.substr(i + 1)) : std::string_view();
    if (setting.empty()) {
      out += text[i];
    } else {
      out.append("--").append(setting);
      i += setting.size() + 1;
    }
  }
  return out;
}

Json sentences_with_flags(Json document) {
  spell(document, /*sentence=*/false);
  return document;
}

}  // namespace intaglio
