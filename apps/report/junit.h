// JUnit's XML: what became of gates, as CI systems show it.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/pipeline/gates.h"

namespace intaglio {

struct TestCase {
  std::string name;     // what was asked: "--min-agreement 95"
  std::string failure;  // a sentence that says by how much it was missed; empty: it holds
  std::string details;  // what was measured, in lines
};

struct TestSuite {
  std::string name;                                             // "intaglio quantize"
  std::vector<std::pair<std::string, std::string>> properties;  // what was judged, and by what
  std::vector<TestCase> cases;
};

// One for each gate, and for each output where it is of outputs.
std::vector<TestCase> test_cases(std::span<const JudgedGate> gates);

// The document. Times are not in it: the same run gives the same bytes.
std::string junit_text(const TestSuite& suite);

}  // namespace intaglio
