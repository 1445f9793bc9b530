#include "apps/report/junit.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/report/escaped.h"

namespace intaglio {
namespace {

std::string number_text(double value) { return fmt::format("{:.{}f}", value, value < 1 ? 6 : 2); }

std::string details_of(const JudgedGate& gate) {
  const GateOutcome& o = gate.outcome;
  std::string text = fmt::format("asked: {}\nmeasured: {}\n", gate.asked,
                                 o.measured ? number_text(*o.measured) : "nothing");
  if (o.interval) text += fmt::format("95 % interval: {}\n", intaglio::text(*o.interval));
  if (gate.unsure()) text += "the interval holds the limit: more samples would tell\n";
  return text;
}

std::string failure_of(const JudgedGate& gate) {
  const auto by = gate.missed_by();
  return by ? fmt::format("{}: missed by {}", gate.outcome.missed, number_text(*by))
            : gate.outcome.missed;
}

std::string case_text(const TestCase& each, const std::string& suite) {
  std::string of = suite;
  std::ranges::replace(of, ' ', '.');
  std::string text =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\">\n", escaped(of), escaped(each.name));
  text += each.failure.empty()
              ? fmt::format("      <system-out>{}</system-out>\n", escaped(each.details))
              : fmt::format("      <failure type=\"gate\" message=\"{}\">{}</failure>\n",
                            escaped(each.failure), escaped(each.details));
  return text + "    </testcase>\n";
}

}  // namespace

std::vector<TestCase> test_cases(std::span<const JudgedGate> gates) {
  std::vector<TestCase> cases;
  for (const JudgedGate& gate : gates) {
    const std::string& of = gate.outcome.of;
    cases.push_back({fmt::format("--{} {}{}", gate.name, gate.asked,
                                 of.empty() ? "" : fmt::format(" (output '{}')", of)),
                     gate.holds() ? "" : failure_of(gate), details_of(gate)});
  }
  return cases;
}

std::string junit_text(const TestSuite& suite) {
  const auto failures =
      std::ranges::count_if(suite.cases, [](const TestCase& c) { return !c.failure.empty(); });
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\"",
                                         suite.cases.size(), failures);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites {}>\n  <testsuite name=\"{}\" {}>\n    <properties>\n", counts,
                      escaped(suite.name), counts);
  for (const auto& [name, value] : suite.properties)
    text +=
        fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", escaped(name), escaped(value));
  text += "    </properties>\n";
  for (const TestCase& each : suite.cases) text += case_text(each, suite.name);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace intaglio
