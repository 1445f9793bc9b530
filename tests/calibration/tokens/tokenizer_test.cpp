// Ids are those that the Python package `tokenizers` 0.23.3 makes of the same files.
#include "calibration/tokens/tokenizer.h"

#include <gtest/gtest.h>

#include <iterator>

#include "lib/base/error.h"
#include "tests/calibration/tokens/tokenizers.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;
using Ids = std::vector<std::int64_t>;
using Object = nlohmann::json;

Tokenizer made_of(const Object& json) { return Tokenizer::parse(json.dump(), "tokenizer.json"); }

struct Case {
  std::string text;
  Ids ids;
};
void expect_all(const Tokenizer& tokenizer, const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(tokenizer.encode(c.text), c.ids) << '"' << c.text << '"';
}

Error fault_of(const std::string& json) {
  try {
    Tokenizer::parse(json, "tokenizer.json");
  } catch (const Error& e) {
    return e;
  }
  return Error(Code::internal, "no error");
}
Error fault_of(const Object& json) { return fault_of(json.dump()); }

TEST(Tokenizer, CutsWordsAsGpt2Does) {
  expect_all(made_of(byte_level_tokenizer(byte_level())),
             {{"", {}},
              {"hello world", {259, 264}},
              {"hello  world", {259, 32, 264}},
              {"it's don't IT'S", {105, 116, 265, 32, 100, 111, 110, 266, 32, 73, 84, 39, 83}},
              {"abc123 1234", {97, 98, 99, 269, 32, 275}},
              {"café 日本", {274, 32, 230, 151, 165, 230, 156, 172}},
              {"a\n\n b \t\r\n", {97, 270, 32, 98, 32, 9, 13, 10}},
              {"  x   ", {32, 32, 120, 267, 32}},
              {"<|end|>hello<|end|>", {278, 259, 278}},
              {"\u0660½", {217, 160, 194, 189}},
              {"\u00a0\u3000x", {194, 160, 227, 128, 128, 120}},
              {"see.hello", {115, 101, 101, 46, 259}}});
}

TEST(Tokenizer, PutsASpaceInFrontOfEveryPiece) {
  expect_all(made_of(byte_level_tokenizer(byte_level(/*add_prefix_space=*/true))),
             {{"hello world", {32, 259, 264}},
              {"  x   ", {32, 32, 120, 267, 32}},
              {"<|end|>hello<|end|>", {278, 32, 259, 278}}});
}

TEST(Tokenizer, CutsDigitsApart) {
  const Object digits = {{"type", "Digits"}, {"individual_digits", true}};
  expect_all(made_of(byte_level_tokenizer(
                 {{"type", "Sequence"}, {"pretokenizers", {digits, byte_level()}}})),
             {{"abc123 1234", {97, 98, 99, 49, 50, 51, 32, 49, 50, 51, 52}},
              {"hello world", {259, 264}},
              {"\u0660½", {217, 160, 194, 189}}});
}

TEST(Tokenizer, CutsByARegularExpression) {
  const Object split = {
      {"type", "Split"},
      {"pattern",
       {{"Regex",
         R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
      {"behavior", "Isolated"},
      {"invert", false}};
  expect_all(made_of(byte_level_tokenizer(
                 {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false, false)}}})),
             {{"it's don't IT'S", {105, 116, 265, 32, 100, 111, 110, 266, 32, 73, 84, 277}},
              {"1234 12345", {269, 52, 32, 269, 52, 53}},
              {"see.hello", {115, 101, 101, 276}},
              {"a\n\n b \t\r\n", {97, 270, 32, 98, 32, 9, 13, 10}}});
}

TEST(Tokenizer, MergesAreTextsOrPairs) {
  Object json = byte_level_tokenizer(byte_level());
  const Tokenizer as_texts = made_of(json);
  for (Object& merge : json["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    merge = {text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)};
  }
  const Tokenizer as_pairs = made_of(json);
  EXPECT_EQ(as_pairs.encode("hello world, café"), as_texts.encode("hello world, café"));
  EXPECT_EQ(as_pairs.size(), 279u);
}

TEST(Tokenizer, AWholeWordGoesBeforeItsMerges) {
  Object json = byte_level_tokenizer(byte_level());
  json["model"]["vocab"]["xyz"] = 300;
  EXPECT_EQ(made_of(json).encode("xyz"), (Ids{120, 121, 122}));
  json["model"]["ignore_merges"] = true;
  EXPECT_EQ(made_of(json).encode("xyz"), (Ids{300}));
}

// As Llama 2 has it: no words, spaces are a character, what is unknown becomes bytes.
TEST(Tokenizer, UnknownCharactersBecomeBytes) {
  Object vocabulary = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}, {"▁", 4}, {"▁ab", 5}};
  for (int byte = 0; byte < 256; ++byte) vocabulary[fmt::format("<0x{:02X}>", byte)] = 6 + byte;
  Object json = {{"normalizer",
                  {{"type", "Sequence"},
                   {"normalizers",
                    {{{"type", "Prepend"}, {"prepend", "▁"}},
                     {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}}}},
                 {"model",
                  {{"type", "BPE"},
                   {"vocab", vocabulary},
                   {"merges", {"a b", "▁ ab"}},
                   {"unk_token", "<unk>"},
                   {"fuse_unk", true},
                   {"byte_fallback", true}}}};
  expect_all(made_of(json), {{"ab ab", {5, 5}},
                             {"abé", {5, 201, 175}},
                             {"", {}},
                             {"\U0001f600b", {4, 246, 165, 158, 134, 2}}});
  json["model"]["byte_fallback"] = false;
  EXPECT_EQ(made_of(json).encode("abéüb"), (Ids{5, 0, 2}));
  json["model"]["fuse_unk"] = false;
  EXPECT_EQ(made_of(json).encode("abéüb"), (Ids{5, 0, 0, 2}));
}

TEST(Tokenizer, WordPieceAsBertHasIt) {
  const Tokenizer tokenizer = made_of(bert_tokenizer());
  expect_all(tokenizer, {{"", {2, 3}},
                         {"The cats!", {2, 5, 6, 7, 12, 3}},
                         {"CafÉ, unwanted", {2, 8, 13, 9, 10, 11, 3}},
                         {"日本 x", {2, 14, 15, 1, 3}},
                         {"don't", {2, 17, 16, 18, 3}},
                         {"the  [MASK]cat", {2, 5, 4, 6, 3}},
                         {std::string("\u200bthe\0\u00a0cat", 12), {2, 5, 6, 3}},
                         {"catscatsc", {2, 1, 3}},
                         {"123 12", {2, 22, 23, 22, 3}},
                         {"Straße", {2, 1, 3}}});
  EXPECT_TRUE(tokenizer.encloses());
  EXPECT_EQ(tokenizer.padding(), 0);
  EXPECT_EQ(tokenizer.kind(), "WordPiece");
  EXPECT_EQ(tokenizer.encode("the cat", /*around=*/false), (Ids{5, 6}));
  EXPECT_EQ(tokenizer.encode("the cats", true, 4), (Ids{2, 5, 6, 3}));
  EXPECT_EQ(tokenizer.encode("the cats", true, 1), (Ids{2, 3}));
}

TEST(Tokenizer, AddedTokensTakeWhiteSpaceOrStandAlone) {
  Object json = byte_level_tokenizer(byte_level());
  json["added_tokens"].push_back({{"id", 301},
                                  {"content", "<m>"},
                                  {"special", true},
                                  {"lstrip", true},
                                  {"rstrip", true},
                                  {"normalized", false}});
  json["added_tokens"].push_back({{"id", 302},
                                  {"content", "or"},
                                  {"special", false},
                                  {"single_word", true},
                                  {"normalized", true}});
  expect_all(
      made_of(json),
      {{"a <m>\n b", {97, 301, 98}}, {"x or y", {120, 32, 302, 32, 121}}, {"for", {102, 261}}});
}

TEST(Tokenizer, AStartInFrontIsNoEnclosure) {
  Object json = byte_level_tokenizer(byte_level());
  json["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {{{"type", "ByteLevel"}},
        {{"type", "TemplateProcessing"},
         {"single",
          {{{"SpecialToken", {{"id", "<|end|>"}, {"type_id", 0}}}},
           {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
         {"special_tokens", {{"<|end|>", {{"id", "<|end|>"}, {"ids", {278}}}}}}}}}};
  const Tokenizer tokenizer = made_of(json);
  EXPECT_EQ(tokenizer.encode("hello"), (Ids{278, 259}));
  EXPECT_FALSE(tokenizer.encloses());
}

TEST(Tokenizer, OtherKindsAreRefusedByName) {
  Object unigram = byte_level_tokenizer(byte_level());
  unigram["model"]["type"] = "Unigram";
  EXPECT_EQ(fault_of(unigram).code(), Code::unsupported);
  EXPECT_STREQ(fault_of(unigram).what(),
               "tokenizer.json: $.model: a tokenizer of the kind Unigram is not read");
  EXPECT_NE(fault_of(unigram).remedy().find(".npy"), std::string::npos);
  const std::vector<std::pair<std::string, std::string>> parts = {
      {"normalizer", "Precompiled"}, {"pre_tokenizer", "UnicodeScripts"}, {"post_processor", "X"}};
  for (const auto& [part, type] : parts) {
    Object json = byte_level_tokenizer(byte_level());
    json[part] = {{"type", type}};
    EXPECT_EQ(fault_of(json).code(), Code::unsupported) << part;
    EXPECT_NE(std::string(fault_of(json).what()).find(type + " is not read"), std::string::npos);
  }
  Object chance = byte_level_tokenizer(byte_level());
  chance["model"]["dropout"] = 0.1;
  EXPECT_EQ(fault_of(chance).code(), Code::unsupported);
  Object regex = byte_level_tokenizer(
      {{"type", "Split"}, {"pattern", {{"Regex", "(unclosed"}}}, {"behavior", "Isolated"}});
  EXPECT_EQ(fault_of(regex).code(), Code::unsupported);
  EXPECT_NE(std::string(fault_of(regex).what()).find("(unclosed"), std::string::npos);
}

TEST(Tokenizer, BadFilesAreErrorsWithAPlace) {
  const Object good = byte_level_tokenizer(byte_level());
  EXPECT_EQ(fault_of(std::string("{\"model\":\n")).code(), Code::config);
  EXPECT_EQ(fault_of(std::string("\xff{}")).code(), Code::config);
  EXPECT_EQ(fault_of(std::string("[]")).code(), Code::config);
  EXPECT_EQ(fault_of(std::string("{}")).code(), Code::config);
  EXPECT_EQ(fault_of(std::string("{\"model\": 1e999}")).code(), Code::config);
  EXPECT_EQ(fault_of(std::string(100'000, '[')).code(), Code::config);
  const auto changed = [&](auto change) {
    Object json = good;
    change(json["model"]);
    return std::string(fault_of(json).what());
  };
  EXPECT_NE(changed([](Object& m) { m["vocab"]["a"] = "x"; }).find("$.model.vocab"),
            std::string::npos);
  EXPECT_NE(changed([](Object& m) { m["vocab"]["a"] = -1; }).find("$.model.vocab"),
            std::string::npos);
  EXPECT_NE(changed([](Object& m) { m["merges"][3] = "hello"; }).find("$.model.merges[3]"),
            std::string::npos);
  EXPECT_NE(changed([](Object& m) {
              m["merges"][3] = {"hell", "?o"};
            }).find("'?o' is not in"),
            std::string::npos);
  EXPECT_NE(changed([](Object& m) { m["merges"] = 7; }).find("expected a list"), std::string::npos);
  EXPECT_NE(changed([](Object& m) { m["unk_token"] = "<no>"; }).find("<no>"), std::string::npos);
  EXPECT_THROW(Tokenizer::read(fresh_folder() / "none.json"), Error);
}

using Pointer = Object::json_pointer;

// All places of a document but most words of the vocabulary.
void collect(const Object& json, const Pointer& at, std::vector<Pointer>& places) {
  places.push_back(at);
  if (!json.is_structured()) return;
  const std::size_t most = json.size() < 20 ? json.size() : 3;
  for (auto it = json.begin(); it != json.end(); ++it) {
    const auto number = static_cast<std::size_t>(std::distance(json.begin(), it));
    if (number < most) collect(*it, json.is_array() ? at / number : at / it.key(), places);
  }
}

TEST(Tokenizer, WhateverStandsAnywhereIsReadOrRefused) {
  const std::vector<Object> wrong = {nullptr,
                                     true,
                                     -1,
                                     1.5,
                                     1e300,
                                     "",
                                     "x",
                                     Object::array(),
                                     Object::object(),
                                     {{"type", "Sequence"}},
                                     {"a", "b"}};
  const Object digits = {{"type", "Digits"}, {"individual_digits", true}};
  for (const Object& good :
       {byte_level_tokenizer({{"type", "Sequence"}, {"pretokenizers", {digits, byte_level()}}}),
        bert_tokenizer()}) {
    std::vector<Pointer> places;
    collect(good, Pointer(), places);
    std::size_t read = 0;
    for (const Pointer& place : places)
      for (const Object& value : wrong) {
        Object changed = good;
        changed[place] = value;
        try {
          made_of(changed).encode("the cat's 12 [MASK]<|end|>");
          ++read;
        } catch (const Error& e) {
          EXPECT_TRUE(e.code() == Code::config || e.code() == Code::unsupported) << e.what();
          EXPECT_FALSE(e.remedy().empty()) << e.what();
        }
      }
    EXPECT_GT(read, 0u);
  }
}

TEST(Tokenizer, TextMustBeUtf8) {
  const Tokenizer tokenizer = made_of(byte_level_tokenizer(byte_level()));
  try {
    tokenizer.encode("abc\xff");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    EXPECT_STREQ(e.what(), "no UTF-8 from byte 3 on");
  }
}

// Nothing takes time that grows with the square of a word.
TEST(Tokenizer, LongWordsAndRuns) {
  const Tokenizer tokenizer = made_of(byte_level_tokenizer(byte_level()));
  EXPECT_EQ(tokenizer.encode(std::string(300'000, 'l')).size(), 150'000u);
  EXPECT_EQ(tokenizer.encode(std::string(300'000, ' ')).size(), 150'000u);
  EXPECT_EQ(made_of(bert_tokenizer()).encode(std::string(300'000, 't')), (Ids{2, 1, 3}));
}

}  // namespace
}  // namespace intaglio
