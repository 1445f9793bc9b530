#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tests/conformance/runner.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

// Name and reason; in passing.txt there are no reasons.
using List = std::map<std::string, std::string>;

std::filesystem::path file_of(std::string_view list) {
  return source_dir() / "tests" / "conformance" / fmt::format("{}.txt", list);
}

List read(std::string_view list) {
  std::ifstream file(file_of(list));
  List entries;
  for (std::string line; std::getline(file, line);) {
    const auto tab = std::min(line.find('\t'), line.size());
    entries[line.substr(0, tab)] = line.substr(std::min(tab + 1, line.size()));
  }
  return entries;
}

void write(std::string_view list, const List& entries) {
  std::ofstream file(file_of(list));
  for (const auto& [name, reason] : entries)
    file << name << (reason.empty() ? "" : "\t") << reason << "\n";
}

std::string reason_of(const Outcome& outcome) {
  return outcome.kind == Outcome::unknown_op ? "no kernel for " + outcome.reason : outcome.reason;
}

void rewrite(const std::string& prefix, const std::map<std::string, Outcome>& outcomes) {
  List passing = read("passing"), failing = read("failing");
  const List known = failing;
  for (List* list : {&passing, &failing})
    std::erase_if(*list, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  for (const auto& [name, outcome] : outcomes) {
    if (outcome.kind == Outcome::passed) {
      passing[prefix + name] = "";
    } else {
      const auto before = known.find(prefix + name);
      failing[prefix + name] = before != known.end() ? before->second : reason_of(outcome);
    }
  }
  write("passing", passing);
  write("failing", failing);
}

}  // namespace

void check_outcomes(std::string_view group, const std::map<std::string, Outcome>& outcomes) {
  const std::string prefix = std::string(group) + "/";
  if (std::getenv("INTAGLIO_UPDATE_CONFORMANCE") != nullptr) rewrite(prefix, outcomes);
  List passing = read("passing"), failing = read("failing");
  std::map<std::string, int> reasons;
  for (const auto& [name, outcome] : outcomes) {
    const bool passes = outcome.kind == Outcome::passed;
    if (const auto listed = failing.find(prefix + name); !passes && listed != failing.end())
      ++reasons[listed->second];
    const bool listed_there = (passes ? passing : failing).erase(prefix + name) > 0;
    const bool listed_elsewhere = (passes ? failing : passing).erase(prefix + name) > 0;
    if (listed_elsewhere || !listed_there)
      ADD_FAILURE() << prefix << name
                    << (passes ? " passes, which the lists do not say"
                               : " fails, which the lists do not say: " + reason_of(outcome));
  }
  for (const List* list : {&passing, &failing})
    for (const auto& [name, reason] : *list)
      if (name.starts_with(prefix)) ADD_FAILURE() << name << " is listed but was not found";

  const auto passed = std::count_if(outcomes.begin(), outcomes.end(), [](const auto& entry) {
    return entry.second.kind == Outcome::passed;
  });
  std::cout << fmt::format("{}: {} of {} pass\n", group, passed, outcomes.size());
  for (const auto& [reason, count] : reasons) std::cout << fmt::format("  {} {}\n", count, reason);
  std::cout << std::flush;
}

}  // namespace intaglio::testing
