#include "lib/check/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace intaglio {
namespace {

// Nodes of one operator with one verdict and one reason.
struct Alike {
  const NodeCheck* first = nullptr;
  std::size_t count = 0;

  std::string text() const {
    const NodeCheck& n = *first;
    const std::string which = n.op.empty() ? "the model"
                              : count == 1
                                  ? fmt::format("{} '{}'", n.op, n.name)
                                  : fmt::format("{} ({}, for example '{}')", n.op, count, n.name);
    return fmt::format("{}: {}: {}{}{}", name_of(n.verdict), which, n.reason,
                       n.remedy.empty() ? "" : "; ", n.remedy);
  }
};

std::vector<Alike> grouped(const CheckResult& result) {
  std::vector<Alike> groups;
  const auto add = [&](const NodeCheck& node) {
    const auto it = std::ranges::find_if(groups, [&](const Alike& a) {
      return std::tie(a.first->op, a.first->verdict, a.first->reason) ==
             std::tie(node.op, node.verdict, node.reason);
    });
    if (it == groups.end())
      groups.push_back({&node, 1});
    else
      ++it->count;
  };
  for (const NodeCheck& problem : result.model_wide) add(problem);
  for (const NodeCheck& node : result.nodes)
    if (node.verdict != Verdict::integer) add(node);
  std::ranges::stable_sort(groups, [](const Alike& a, const Alike& b) {
    return std::pair(a.first->verdict != Verdict::misfit, b.count) <
           std::pair(b.first->verdict != Verdict::misfit, a.count);
  });
  return groups;
}

}  // namespace

std::optional<double> integer_share(const CheckResult& result) {
  if (result.macs == 0) return std::nullopt;
  return 100.0 * static_cast<double>(result.integer_macs) / static_cast<double>(result.macs);
}

std::string check_line(const CheckResult& result) {
  std::string line =
      fmt::format("{} nodes in integers, {} in float, {} misfits", result.count(Verdict::integer),
                  result.count(Verdict::floating), result.count(Verdict::misfit));
  if (!result.model_wide.empty())
    line += fmt::format(" and {} of the model as a whole", result.model_wide.size());
  if (const auto share = integer_share(result))
    line += fmt::format("; {:.2f} % of {:.1f} million MACs in integers{}", *share,
                        static_cast<double>(result.macs) / 1e6,
                        has_free_axes(result) ? ", free lengths counted as 1" : "");
  return line;
}

std::vector<std::string> check_reasons(const CheckResult& result, std::size_t most) {
  const std::vector<Alike> groups = grouped(result);
  std::vector<std::string> lines;
  std::size_t rest = 0;
  for (const Alike& group : groups) {
    if (lines.size() < most)
      lines.push_back(group.text());
    else
      rest += group.count;
  }
  if (rest > 0)
    lines.push_back(fmt::format("and {} other nodes: 'intaglio check' lists them", rest));
  return lines;
}

}  // namespace intaglio
