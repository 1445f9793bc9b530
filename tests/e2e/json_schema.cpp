#include "tests/e2e/json_schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  std::vector<std::string> errors(const Json& document) const {
    std::vector<std::string> found;
    check(root_, document, "$", found);
    return found;
  }

 private:
  struct Rule {
    const Json& schema;    // that the keyword stands in
    const Json& argument;  // of the keyword
    const Json& value;
    const std::string& at;
    std::vector<std::string>& errors;

    void require(bool holds, const std::string& what) const {
      if (!holds) errors.push_back(at + ": " + what);
    }
  };
  using Check = void (Validator::*)(const Rule&) const;

  void check(const Json& schema, const Json& value, const std::string& at,
             std::vector<std::string>& errors) const {
    static const std::set<std::string> notes = {"$schema", "title", "description",
                                                "$defs",   "then",  "else"};
    for (const auto& [keyword, argument] : schema.items()) {
      if (notes.contains(keyword)) continue;
      const auto it = checks().find(keyword);
      if (it == checks().end())
        throw std::logic_error("keyword of the schema not supported: " + keyword);
      (this->*it->second)({schema, argument, value, at, errors});
    }
  }

  bool holds(const Json& schema, const Json& value) const {
    std::vector<std::string> ignored;
    check(schema, value, "", ignored);
    return ignored.empty();
  }

  static const std::map<std::string, Check>& checks() {
    static const std::map<std::string, Check> table = {
        {"$ref", &Validator::ref},
        {"type", &Validator::type},
        {"const", &Validator::constant},
        {"enum", &Validator::one_of_values},
        {"required", &Validator::required},
        {"properties", &Validator::properties},
        {"items", &Validator::items},
        {"additionalProperties", &Validator::additional},
        {"oneOf", &Validator::alternatives},
        {"anyOf", &Validator::alternatives},
        {"if", &Validator::conditional},
        {"minimum", &Validator::limit<std::greater_equal<>>},
        {"pattern", &Validator::pattern},
        {"maximum", &Validator::limit<std::less_equal<>>},
        {"minItems", &Validator::min_items},
        {"exclusiveMinimum", &Validator::limit<std::greater<>>},
        {"maxItems", &Validator::max_items},
        {"minLength", &Validator::min_length},
    };
    return table;
  }

  static bool has_type(const Json& value, const std::string& name) {
    if (name == "integer")
      return value.is_number_integer() ||
             (value.is_number() && std::nearbyint(value.get<double>()) == value.get<double>());
    return name == value.type_name();  // null, boolean, number, string, array, object
  }

  void ref(const Rule& r) const {
    const Json::json_pointer target(r.argument.get<std::string>().substr(1));  // "#/$defs/name"
    check(root_.at(target), r.value, r.at, r.errors);
  }
  void type(const Rule& r) const {
    const Json names = r.argument.is_array() ? r.argument : Json::array({r.argument});
    const bool fits = std::any_of(names.begin(), names.end(), [&](const Json& name) {
      return has_type(r.value, name.get<std::string>());
    });
    r.require(fits, "is " + std::string(r.value.type_name()) + ", not " + names.dump());
  }
  void constant(const Rule& r) const {
    r.require(r.value == r.argument, "is not " + r.argument.dump());
  }
  void one_of_values(const Rule& r) const {
    const bool listed =
        std::find(r.argument.begin(), r.argument.end(), r.value) != r.argument.end();
    r.require(listed, r.value.dump() + " is not among " + r.argument.dump());
  }
  void required(const Rule& r) const {
    if (!r.value.is_object()) return;
    for (const Json& key : r.argument)
      r.require(r.value.contains(key.get<std::string>()), "lacks " + key.dump());
  }
  void properties(const Rule& r) const {
    if (!r.value.is_object()) return;
    for (const auto& [key, schema] : r.argument.items())
      if (r.value.contains(key)) check(schema, r.value.at(key), r.at + "." + key, r.errors);
  }
  void additional(const Rule& r) const {
    if (!r.value.is_object()) return;
    for (const auto& [key, value] : r.value.items())
      if (!r.schema.contains("properties") || !r.schema.at("properties").contains(key))
        check(r.argument, value, r.at + "." + key, r.errors);
  }
  void items(const Rule& r) const {
    if (!r.value.is_array()) return;
    for (std::size_t i = 0; i < r.value.size(); ++i)
      check(r.argument, r.value[i], r.at + "[" + std::to_string(i) + "]", r.errors);
  }
  // The alternatives of the schema exclude each other (another constant, another type), so that
  // "any" and "exactly one" are the same.
  void alternatives(const Rule& r) const {
    const auto fits = [&](const Json& schema) { return holds(schema, r.value); };
    if (std::any_of(r.argument.begin(), r.argument.end(), fits)) return;
    r.require(false, "fits none of the alternatives:");
    for (const Json& schema : r.argument) check(schema, r.value, r.at, r.errors);
  }
  void conditional(const Rule& r) const {
    const char* branch = holds(r.argument, r.value) ? "then" : "else";
    if (r.schema.contains(branch)) check(r.schema.at(branch), r.value, r.at, r.errors);
  }
  template <typename Compare>
  void limit(const Rule& r) const {
    if (r.value.is_number())
      r.require(Compare()(r.value.get<double>(), r.argument.get<double>()),
                r.value.dump() + " is beyond the limit " + r.argument.dump());
  }
  void min_items(const Rule& r) const {
    if (r.value.is_array())
      r.require(r.value.size() >= r.argument.get<std::size_t>(), "is too short");
  }
  void max_items(const Rule& r) const {
    if (r.value.is_array())
      r.require(r.value.size() <= r.argument.get<std::size_t>(), "is too long");
  }
  void min_length(const Rule& r) const {
    if (r.value.is_string())
      r.require(r.value.get<std::string>().size() >= r.argument, "is too short");
  }
  void pattern(const Rule& r) const {
    if (r.value.is_string())
      r.require(
          std::regex_search(r.value.get<std::string>(), std::regex(r.argument.get<std::string>())),
          r.value.dump() + " does not match " + r.argument.dump());
  }

  const Json& root_;
};

}  // namespace

std::vector<std::string> JsonSchema::errors(const Json& document) const {
  return Validator(root_).errors(document);
}

void expect_valid(const Json& report) {
  const JsonSchema schema(read_json_file(source_dir() / "docs/report.schema.json"));
  for (const std::string& error : schema.errors(report)) ADD_FAILURE() << error;
}

}  // namespace intaglio::testing
