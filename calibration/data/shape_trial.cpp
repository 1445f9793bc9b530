#include "calibration/data/shape_trial.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/exec/infer.h"

namespace intaglio {
namespace {

bool has_free_axes(const Graph& graph) {
  return std::ranges::any_of(graph.feeds(), [](const Value* feed) {
    if (!feed->dims()) return true;
    const Dims& dims = *feed->dims();
    return std::any_of(dims.begin() + (dims.empty() ? 0 : 1), dims.end(),
                       [](const Dim& d) { return !d.known(); });
  });
}

// Empty where the graph takes feeds of these shapes.
std::string reason_against(const std::vector<Shape>& shapes, const Graph& graph) {
  try {
    require_taken(graph, shapes);
  } catch (const Error& e) {
    if (e.code() != Code::model) throw;
    return e.what();
  }
  return {};
}

}  // namespace

ShapeTrial::ShapeTrial(const Model& model) : free_(has_free_axes(model.graph())) {
  if (free_) model_ = model.clone();
}

void ShapeTrial::require_taken(const std::vector<Tensor>& feeds) {
  if (!free_) return;
  std::vector<Shape> shapes;
  for (const Tensor& feed : feeds) shapes.push_back(feed.shape());
  const std::lock_guard lock(mutex_);
  const auto [it, fresh] = reasons_.try_emplace(shapes);
  if (fresh) it->second = reason_against(shapes, model_.graph());
  if (!it->second.empty())
    throw Error(Code::data, it->second, "Give samples of lengths that the model takes.");
}

}  // namespace intaglio
