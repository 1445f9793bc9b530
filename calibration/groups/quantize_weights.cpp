#include "calibration/groups/quantize_weights.h"

#include "calibration/groups/known_importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "lib/base/mapped_files.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

// One weight, and the places that get its codes.
struct Job {
  const Value* constant = nullptr;
  Scheme scheme;
  std::vector<ConstantPlan*> places;
  std::string data;  // what the product reads beside the weight; empty: nothing is multiplied
  std::string node;
};

bool same_weights(const Tensor& a, const Tensor& b) {
  return a.raw() == b.raw() || (a.dtype() == b.dtype() && a.shape() == b.shape() &&
                                std::equal(a.raw(), a.raw() + a.bytes(), b.raw()));
}

// Whether b is a with its two axes exchanged. A few elements tell most pairs apart.
bool are_transposed(const Tensor& a, const Tensor& b) {
  if (a.dtype() != DType::f32 || b.dtype() != DType::f32 || a.rank() != 2 || b.rank() != 2 ||
      a.dim(0) != b.dim(1) || a.dim(1) != b.dim(0))
    return false;
  const auto x = a.data<float>(), y = b.data<float>();
  const auto rows = static_cast<std::size_t>(a.dim(0)),
             columns = static_cast<std::size_t>(a.dim(1));
  const auto alike = [&](std::size_t i, std::size_t j) {
    return x[i * columns + j] == y[j * rows + i];
  };
  for (std::size_t i = 0; i < rows; i += rows / 8 + 1)
    for (std::size_t j = 0; j < columns; j += columns / 8 + 1)
      if (!alike(i, j)) return false;
  // Tile by tile: one of the two is read against its order.
  constexpr std::size_t tile = 64;
  for (std::size_t i = 0; i < rows; i += tile)
    for (std::size_t j = 0; j < columns; j += tile)
      for (std::size_t r = i; r < std::min(i + tile, rows); ++r)
        for (std::size_t c = j; c < std::min(j + tile, columns); ++c)
          if (!alike(r, c)) return false;
  return true;
}

// Of one width, order of codes aside.
bool alike(const Scheme& a, const Scheme& b) {
  return a.type == b.type && a.group == b.group && a.symmetric == b.symmetric;
}

class JobList {
 public:
  JobList(Plan& plan, const Graph& graph) : graph_(graph) {
    for (NodePlan& node : plan.nodes) {
      if (!node.quantized) continue;
      const Value* result = graph.find(node.output);
      if (result == nullptr || result->producer() == nullptr) continue;
      const bool table = is_table_plan(*result->producer());
      for (ConstantPlan& constant : node.constants)
        if (constant.scheme.group > 0)
          (table ? tables_ : products_).push_back({&node, &constant, result->producer()});
    }
    for (const Place& place : products_) take(place, place.node->input(0)->name());
    for (const Place& place : tables_) take(place, {});
  }
  std::vector<Job> take_jobs() && { return std::move(jobs_); }

 private:
  struct Place {
    NodePlan* plan;
    ConstantPlan* constant;
    const Node* node;
  };
  static bool is_table_plan(const Node& node) { return node.is("Gather"); }

  void take(const Place& place, const std::string& data) {
    const Value* constant = graph_.resolve(place.constant->name);
    if (constant == nullptr || !constant->is_constant())
      throw Error(Code::config,
                  fmt::format("the plan speaks of the constant '{}', which the model lacks",
                              place.constant->name),
                  "Use a plan that was made for this model.");
    for (Job& job : jobs_) {
      const bool shared = serves(job, *constant, *place.constant, data.empty());
      if (!shared) continue;
      job.places.push_back(place.constant);
      return;
    }
    jobs_.push_back({constant,
                     place.constant->scheme,
                     {place.constant},
                     data,
                     place.plan->name.empty() ? place.plan->output : place.plan->name});
  }

  static bool serves(const Job& job, const Value& constant, const ConstantPlan& wanted,
                     bool table) {
    if (!alike(job.scheme, wanted.scheme)) return false;
    if (job.scheme.axis == wanted.scheme.axis)
      return job.constant == &constant ||
             (table && same_shape(job, constant) &&
              same_weights(job.constant->constant(), constant.constant()));
    return table && are_transposed(job.constant->constant(), constant.constant());
  }
  static bool same_shape(const Job& job, const Value& constant) {
    return job.constant->constant().shape() == constant.constant().shape();
  }

  const Graph& graph_;
  std::vector<Place> products_, tables_;
  std::vector<Job> jobs_;
};

class WeightQuantizer {
 public:
  WeightQuantizer(std::vector<Job> jobs, const Graph& graph, const GroupOptions& options)
      : jobs_(std::move(jobs)), graph_(graph), options_(options) {
    summary_.weighted = options.samples != nullptr && options.rounding != GroupRounding::nearest;
    summary_.rounding = options.rounding == GroupRounding::gptq && !summary_.weighted
                            ? GroupRounding::range_search
                            : options.rounding;
  }

  GroupSummary run() {
    std::size_t first = 0;
    while (first < jobs_.size()) {
      const std::size_t end = summary_.weighted ? end_of_budget(first) : jobs_.size();
      std::map<std::string, InputMoments> moments;
      if (summary_.weighted) moments = moments_of(first, end);
      for (; first < end; ++first) quantize(jobs_[first], moments);
    }
    if (summary_.weighted) summary_.samples = options_.samples->count;
    return std::move(summary_);
  }

 private:
  std::uint64_t bytes_of(const Job& job, std::set<std::string>& seen) const {
    if (job.data.empty() || !seen.insert(job.data).second) return 0;
    const auto& weights = job.constant->constant();
    return InputMoments::bytes_for(
        static_cast<std::size_t>(weights.dim(static_cast<std::size_t>(*job.scheme.axis))));
  }

  std::size_t end_of_budget(std::size_t first) const {
    std::set<std::string> seen;
    std::uint64_t bytes = 0;
    std::size_t end = first;
    for (; end < jobs_.size(); ++end) {
      bytes += bytes_of(jobs_[end], seen);
      if (bytes > options_.moment_bytes && end > first) break;
    }
    return end;
  }

  std::map<std::string, InputMoments> moments_of(std::size_t first, std::size_t end) const {
    std::set<std::string> values;
    for (std::size_t i = first; i < end; ++i)
      if (!jobs_[i].data.empty()) values.insert(jobs_[i].data);
    if (values.empty()) return {};
    return collect_moments(graph_, values, *options_.samples,
                           {.threads = options_.threads, .progress = options_.progress});
  }

  std::unique_ptr<GroupMethod> method_for(const Job& job,
                                          const std::map<std::string, InputMoments>& moments) {
    if (summary_.rounding == GroupRounding::nearest) return make_nearest();
    const auto found = moments.find(job.data);
    const auto inputs = static_cast<std::size_t>(
        job.constant->constant().dim(static_cast<std::size_t>(*job.scheme.axis)));
    if (found == moments.end() || found->second.width() != inputs) {
      if (summary_.weighted && !job.data.empty()) summary_.unweighted.push_back(job.node);
      const Value* data = job.data.empty() ? nullptr : graph_.find(job.data);
      return make_range_search(data == nullptr ? std::vector<float>()
                                               : known_importance(*data, inputs));
    }
    if (summary_.rounding == GroupRounding::gptq)
      return make_group_gptq(found->second, options_.threads);
    return make_range_search(importance_of(found->second.diagonal()));
  }

  void quantize(const Job& job, const std::map<std::string, InputMoments>& moments) {
    const Tensor& weights = job.constant->constant();
    const auto method = method_for(job, moments);
    const auto codes = std::make_shared<GroupCodes>();
    try {
      *codes = quantize_groups(weight_matrix(weights, *job.scheme.axis), job.scheme, *method,
                               options_.layout, options_.threads);
    } catch (const Error& e) {
      throw e.within(fmt::format("constant '{}'", job.constant->name()));
    }
    if (!options_.data_file.empty() && mapped_file_at(weights.raw()) != nullptr) spill(*codes);
    for (ConstantPlan* place : job.places) place->groups = codes;
    ++summary_.weights;
    summary_.elements += weights.size();
    summary_.signal += codes->signal, summary_.noise += codes->noise;
    if (options_.progress) options_.progress(summary_.weights, jobs_.size());
  }

  void spill(GroupCodes& codes) {
    if (!summary_.file) summary_.file = std::make_shared<SpillFile>(options_.data_file);
    for (Tensor* t : {&codes.codes, &codes.scales, &codes.zero_points})
      if (t->defined() && t->bytes() > 0)
        *t = Tensor::view(t->dtype(), t->shape(), summary_.file->keep({t->raw(), t->bytes()}));
  }

  std::vector<Job> jobs_;
  const Graph& graph_;
  const GroupOptions& options_;
  GroupSummary summary_;
};

}  // namespace

std::optional<double> GroupSummary::sqnr_db() const { return intaglio::sqnr_db(signal, noise); }

GroupSummary quantize_weights(Plan& plan, const Graph& graph, const GroupOptions& options) {
  return WeightQuantizer(JobList(plan, graph).take_jobs(), graph, options).run();
}

}  // namespace intaglio
