// A validator for JSON Schema, draft 2020-12 (json-schema.org): the keywords that
// docs/report.schema.json uses. Every other keyword is refused, so that no rule of a schema is
// passed over in silence.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/json.h"

namespace intaglio::testing {

class JsonSchema {
 public:
  explicit JsonSchema(Json schema) : root_(std::move(schema)) {}

  // One line for each rule that is broken: "$.nodes[3].status: ...". Empty: the document is valid.
  // Throws std::logic_error for a keyword that is not supported.
  std::vector<std::string> errors(const Json& document) const;

 private:
  Json root_;
};

// The test fails where docs/report.schema.json does not hold for a report of the program.
void expect_valid(const Json& report);

}  // namespace intaglio::testing
