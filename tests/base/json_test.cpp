#include "lib/base/json.h"

#include <gtest/gtest.h>

#include <functional>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

// What reading `text` as a file and then `read` complains about; empty when it does not.
std::string complaint(std::string_view text, const std::function<void(JsonObject&)>& read = {}) {
  const auto path = testing::fresh_folder() / "c.json";
  write_file(path, text);
  try {
    const Json document = read_json_file(path);
    if (!read) return {};
    JsonObject object(document, "c.json");
    read(object);
    object.done();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::config);
    std::string message = e.what();
    const auto folder = message.find(path.string());
    return folder == 0 ? "c.json" + message.substr(path.string().size()) : message;
  }
  return {};
}

TEST(Json, CommentsAreAllowedAndOrderIsKept) {
  const auto path = testing::fresh_folder() / "c.json";
  write_file(path, "{\"z\": 1, // why\n \"a\": /* because */ 2}");
  EXPECT_EQ(read_json_file(path).dump(), R"({"z":1,"a":2})");
}

TEST(Json, SyntaxErrorsNameLineAndColumn) {
  EXPECT_EQ(complaint("{\n \"a\": 1\n \"b\": 2}"), "c.json:3:4: not valid JSON");
  EXPECT_EQ(complaint("[1,,2]"), "c.json:1:4: not valid JSON");
  EXPECT_NE(complaint(""), "");
  EXPECT_NE(complaint("{\"a\": \"\xff\"}"), "");
  EXPECT_NE(complaint(std::string(100'000, '[')), "");
}

TEST(Json, DepthHasALimit) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : "{\"a\":";
    text += "1";
    for (int i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
    return text;
  };
  EXPECT_EQ(complaint(nested(deepest_json)), "");
  EXPECT_EQ(complaint(nested(deepest_json + 1)), "c.json: nests deeper than 512 levels");
  EXPECT_EQ(complaint(nested(100'000)), "c.json: nests deeper than 512 levels");
  EXPECT_TRUE(parse_json_if_any(nested(100'000)).is_discarded());
  EXPECT_EQ(parse_json_if_any("[1]").dump(), "[1]");
}

TEST(Json, NumbersThatNoTypeHoldsAndRepeatedKeysAreErrors) {
  EXPECT_EQ(complaint("{\"a\": 1e999}"), "c.json: a number is too large for any type");
  EXPECT_EQ(complaint(R"({"a": 1, "b": [{"c": 1, "d": 2, "c": 3}]})"),
            "c.json: key \"c\" occurs twice in one object");
  EXPECT_EQ(complaint(R"({"a": {"c": 1}, "b": {"c": 1}, "c": 2})"), "");
}

TEST(Json, AMissingFileIsAnIoError) {
  try {
    read_json_file(testing::fresh_folder() / "none.json");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::io);
  }
}

TEST(JsonObject, ReadsEveryKind) {
  const Json document = Json::parse(
      R"({"b": true, "i": -3, "d": 2, "s": "x", "l": [1, 2], "o": {"k": 1}, "w": "two"})");
  JsonObject object(document, "c.json");
  EXPECT_TRUE(object.get<bool>("b"));
  EXPECT_EQ(object.get<int>("i"), -3);
  EXPECT_EQ(object.get<double>("d"), 2.0);
  EXPECT_EQ(object.get<std::string>("s"), "x");
  EXPECT_EQ(object.get<std::vector<int>>("l"), (std::vector<int>{1, 2}));
  EXPECT_EQ(object.object("o").get<int>("k"), 1);
  EXPECT_EQ(object.choice("w", {"one", "two"}), "two");
  EXPECT_EQ(object.get<int>("absent", 7), 7);
  EXPECT_EQ(object.choice("absent", {"one"}, "one"), "one");
  object.done();
}

TEST(JsonObject, ErrorsNameThePlace) {
  const auto of = [](std::string_view text, auto read) { return complaint(text, read); };
  EXPECT_EQ(of("{}", [](JsonObject& o) { o.get<int>("a"); }), "c.json: $.a: is missing");
  EXPECT_EQ(of(R"({"a": 1.5})", [](JsonObject& o) { o.get<int>("a"); }),
            "c.json: $.a: expected a whole number");
  EXPECT_EQ(of(R"({"a": 1})", [](JsonObject& o) { o.get<bool>("a"); }),
            "c.json: $.a: expected true or false");
  EXPECT_EQ(of(R"({"a": true})", [](JsonObject& o) { o.get<double>("a"); }),
            "c.json: $.a: expected a number");
  EXPECT_EQ(of(R"({"a": 1})", [](JsonObject& o) { o.get<std::string>("a"); }),
            "c.json: $.a: has the wrong type (number)");
  EXPECT_EQ(of(R"({"a": null})", [](JsonObject& o) { o.get<int>("a", 3); }),
            "c.json: $.a: expected a whole number");
  EXPECT_EQ(of(R"({"a": "x"})",
               [](JsonObject& o) {
                 o.choice("a", {"y", "z"});
               }),
            "c.json: $.a: 'x' is not one of y, z");
  EXPECT_EQ(of(R"({"a": {"b": {"c": "x"}}})",
               [](JsonObject& o) { o.object("a").object("b").get<int>("c"); }),
            "c.json: $.a.b.c: expected a whole number");
  EXPECT_EQ(of(R"({"a": 1})", [](JsonObject& o) { o.object("a"); }),
            "c.json: $.a: expected an object");
  EXPECT_EQ(of("[]", [](JsonObject&) {}), "c.json: $: expected an object");
}

TEST(JsonObject, NumbersThatDoNotFitAreErrorsNotWrapped) {
  const auto read = [](auto zero) { return [](JsonObject& o) { o.get<decltype(zero)>("a"); }; };
  EXPECT_EQ(complaint(R"({"a": 4294967296})", read(int{})),
            "c.json: $.a: 4294967296 is out of range");
  EXPECT_EQ(complaint(R"({"a": -1})", read(std::size_t{})), "c.json: $.a: -1 is out of range");
  EXPECT_EQ(complaint(R"({"a": 18446744073709551615})", read(std::int64_t{})),
            "c.json: $.a: 18446744073709551615 is out of range");
  EXPECT_EQ(complaint(R"({"a": 18446744073709551615})", read(std::uint64_t{})), "");
}

TEST(JsonObject, ListsAreReadElementByElement) {
  const auto ints = [](JsonObject& o) { o.get<std::vector<int>>("a"); };
  EXPECT_EQ(complaint(R"({"a": [1, 2.5]})", ints), "c.json: $.a[1]: expected a whole number");
  EXPECT_EQ(complaint(R"({"a": [true]})", ints), "c.json: $.a[0]: expected a whole number");
  EXPECT_EQ(complaint(R"({"a": 1})", ints), "c.json: $.a: expected a list");
  EXPECT_EQ(complaint(R"({"a": [["x"], [1]]})",
                      [](JsonObject& o) { o.get<std::vector<std::vector<std::string>>>("a"); }),
            "c.json: $.a[1][0]: has the wrong type (number)");
}

TEST(JsonObject, AnUnknownKeyIsAnErrorThatListsTheKnownOnes) {
  const Json document = Json::parse(R"({"a": {"scale": 1, "sclae": 2}})");
  JsonObject root(document, "c.json");
  JsonObject object = root.object("a");
  object.get<int>("scale");
  object.get<int>("zero", 0);
  try {
    object.done();
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "c.json: $.a.sclae: unknown key");
    EXPECT_EQ(e.remedy(), "Known keys here: scale, zero.");
  }
}

}  // namespace
}  // namespace intaglio
