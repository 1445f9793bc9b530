#include "apps/commands/timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "apps/commands/table.h"
#include "lib/base/parallel.h"

namespace intaglio {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string joined(const Json& list) {
  std::string text;
  for (const Json& item : list) text += (text.empty() ? "" : " + ") + item.get<std::string>();
  return text;
}

}  // namespace

Timed run_repeatedly(const Executor& executor, std::span<const Tensor> feeds, int repeat,
                     Profile* profile) {
  Timed result;
  for (int i = 0; i < repeat; ++i) {
    const auto start = Clock::now();
    result.outputs = executor.run(feeds, {}, profile);
    result.ms.push_back(1000 * seconds_since(start));
  }
  return result;
}

double runs_per_second(const Executor& executor, std::span<const Tensor> feeds, int repeat,
                       std::size_t threads) {
  const auto start = Clock::now();
  parallel_for(static_cast<std::size_t>(repeat), threads,
               [&](std::size_t, std::size_t) { executor.run(feeds); });
  return repeat / seconds_since(start);
}

Json latency_json(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double q) {  // nearest rank
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(ms.size())));
    return ms[std::clamp<std::size_t>(rank, 1, ms.size()) - 1];
  };
  return {{"min", ms.front()}, {"median", at(0.5)}, {"p95", at(0.95)}};
}

Json profile_json(const Profile& profile) {
  double total = 0;
  for (const StepProfile& s : profile.steps) total += s.seconds;
  Json list = Json::array();
  for (const StepProfile& s : profile.steps) {
    const double ms = 1000 * s.seconds / static_cast<double>(profile.runs);
    Json fused = Json::array();
    for (const Node* node : s.step->fused) fused.push_back(node->op());
    list.push_back({{"name", s.step->node->label()},
                    {"op", s.step->node->op()},
                    {"kernel", s.step->def->impl},
                    {"detail", s.step->kernel->detail()},
                    {"fused", fused},
                    {"output", s.output},
                    {"layout", s.layout == Layout::row_major ? "row_major" : "channels_last"},
                    {"ms", ms},
                    {"share", total > 0 ? s.seconds / total : 0},
                    {"gflops", ms > 0 ? s.flops / ms / 1e6 : 0}});
  }
  return list;
}

void print_profile(const Json& profile) {
  std::vector<std::vector<std::string>> rows = {
      {"node", "ms", "%", "GFLOP/s", "kernel", "layout", "fused", "output"}};
  for (const Json& s : profile) {
    const auto detail = s["detail"].get<std::string>();
    rows.push_back({s["name"], fmt::format("{:.3f}", s["ms"].get<double>()),
                    fmt::format("{:.1f}", 100 * s["share"].get<double>()),
                    fmt::format("{:.1f}", s["gflops"].get<double>()),
                    s["kernel"].get<std::string>() + (detail.empty() ? "" : " " + detail),
                    s["layout"], joined(s["fused"]), s["output"].dump()});
  }
  print_table(rows);
}

}  // namespace intaglio
