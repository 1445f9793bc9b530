#include "tests/calibration/tokens/tokenizers.h"

#include "calibration/tokens/byte_level.h"

namespace intaglio::testing {
namespace {

using Json = nlohmann::json;

Json special(std::int64_t id, const std::string& content, bool lstrip = false) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", lstrip},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

Json byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Json byte_level_tokenizer(const Json& pre_tokenizer) {
  const std::string space = bytes_as_characters(" "), line = bytes_as_characters("\n");
  const std::string e_acute_1 = bytes_as_characters("\xc3"),
                    e_acute_2 = bytes_as_characters("\xa9");
  Json vocabulary = Json::object(), merges = Json::array();
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[bytes_as_characters(std::string(1, static_cast<char>(byte)))] = byte;
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"h", "e"},
      {"l", "l"},
      {"he", "ll"},
      {"hell", "o"},
      {space, "w"},
      {"o", "r"},
      {space + "w", "or"},
      {"l", "d"},
      {space + "wor", "ld"},
      {"'", "s"},
      {"'", "t"},
      {space, space},
      {"1", "2"},
      {"12", "3"},
      {line, line},
      {e_acute_1, e_acute_2},
      {"c", "a"},
      {"f", e_acute_1 + e_acute_2},
      {"ca", "f" + e_acute_1 + e_acute_2},
      {"123", "4"},
      {".", "hello"},
      {"'", "S"}};
  for (const auto& [first, second] : pairs) {
    vocabulary.emplace(first + second, vocabulary.size());
    merges.push_back(first + " " + second);
  }
  return {{"added_tokens", {special(static_cast<std::int64_t>(vocabulary.size()), "<|end|>")}},
          {"normalizer", nullptr},
          {"pre_tokenizer", pre_tokenizer},
          {"post_processor", nullptr},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocabulary},
            {"merges", merges},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"byte_fallback", false},
            {"ignore_merges", false}}}};
}

Json bert_tokenizer() {
  const std::vector<std::string> words = {
      "[PAD]", "[UNK]",  "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "cafe",
      "un",    "##want", "##ed",  "!",     ",",      "日",  "本",  "'",   "don",
      "t",     "##t",    "##a",   "a",     "12",     "##3", "ss"};
  Json vocabulary = Json::object(), added = Json::array();
  for (const std::string& word : words) {
    if (word.starts_with('[')) added.push_back(special(std::ssize(added), word, word == "[MASK]"));
    vocabulary[word] = vocabulary.size();
  }
  const auto token = [](const char* name) {
    return Json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
  };
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  return {{"added_tokens", added},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", true},
            {"strip_accents", nullptr},
            {"lowercase", true}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", Json::array({token("[CLS]"), text, token("[SEP]")})},
            {"pair", Json::array()},
            {"special_tokens",
             {{"[CLS]", {{"id", "[CLS]"}, {"ids", {2}}, {"tokens", {"[CLS]"}}}},
              {"[SEP]", {{"id", "[SEP]"}, {"ids", {3}}, {"tokens", {"[SEP]"}}}}}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 8},
            {"vocab", vocabulary}}}};
}

}  // namespace intaglio::testing
