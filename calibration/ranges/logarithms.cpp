#include "calibration/ranges/logarithms.h"

#include <algorithm>
#include <set>
#include <vector>

#include "lib/graph/op_traits.h"
#include "lib/graph/ops.h"

namespace intaglio {
namespace {

constexpr double most_lost = 0.25;

bool is_root(const Node& node) {
  const Value* exponent = node.input(1);
  return node.is("Pow") && exponent != nullptr && exponent->is_constant() &&
         exponent->constant().size() == 1 && exponent->constant().item<double>() < 1;
}

// Small changes of a small argument change the result a lot.
bool compresses(const Use& use) { return use.index == 0 && use.node->is("Log"); }

bool inverts(const Use& use) {
  const Node& node = *use.node;
  if (use.index == 0) return is_any(node, {"Sqrt", "Reciprocal"}) || is_root(node);
  return use.index == 1 && node.is("Div");
}

bool magnifies(const Use& use) { return compresses(use) || inverts(use); }

// A sum over an axis of two: the squares of a real and an imaginary part.
bool sums_pairs(const Node& node) {
  const Value *x = node.input(0), *y = node.output(0);
  if (!is_any(node, {"ReduceSum", "ReduceL2", "ReduceSumSquare"}) || x == nullptr || y == nullptr)
    return false;
  if (!x->dims()) return false;
  const Value* axes = node.input(1);
  std::vector<std::int64_t> list = node.attr_ints("axes");
  if (axes != nullptr && axes->is_constant()) list = axes->constant().to_vector<std::int64_t>();
  return list.size() == 1 && std::ranges::all_of(list, [&](std::int64_t axis) {
           const auto i = static_cast<std::size_t>(axis < 0 ? axis + x->rank() : axis);
           return i < x->dims()->size() && (*x->dims())[i].value == 2;
         });
}

bool passes_on(const Node& node) { return traits_of(node).keeps_small || sums_pairs(node); }

// What a logarithm may be taken of, too: energies of windows. The roots and divisors behind such
// sums are those of normalizations.
bool pools(const Node& node) {
  return (node.op().starts_with("Reduce") && !sums_pairs(node)) || traits_of(node).pools;
}

class Search {
 public:
  Search(const Graph& graph, const Plan& plan, const Observations& observations)
      : plan_(plan), observations_(observations) {
    std::vector<Node*> nodes = graph.nodes();
    std::reverse(nodes.begin(), nodes.end());
    for (const Node* node : nodes) visit(*node);
  }

  std::map<std::string, double> found() { return std::move(found_); }

 private:
  void visit(const Node& node) {
    const bool compute = traits_of(node).weights == WeightKind::product;
    const Value* y = first_output(node);
    if (y == nullptr || !(compute || passes_on(node) || pools(node))) return;
    const bool logarithm = leads_to(node, compresses, logarithms_);
    const bool other = leads_to(node, inverts, others_);
    if (!(logarithm || (other && !pools(node)))) return;
    double lost = lost_of(y);
    for (const Value* input : node.inputs()) lost = std::max(lost, lost_of(input));
    if (compute && lost <= most_lost) return;
    if (compute) found_[y->name()] = lost;
    if (logarithm) logarithms_.insert(&node);
    if (other && !pools(node)) others_.insert(&node);
  }

  static bool leads_to(const Node& node, bool (*ends)(const Use&),
                       const std::set<const Node*>& known) {
    return std::ranges::any_of(node.outputs(), [&](const Value* output) {
      return output != nullptr && std::ranges::any_of(output->uses(), [&](const Use& use) {
               return ends(use) || known.contains(use.node);
             });
    });
  }

  double lost_of(const Value* value) const {
    if (value == nullptr || plan_.find(value->name()) == nullptr) return 0;
    const auto it = observations_.values.find(value->name());
    return it != observations_.values.end() ? share_lost(it->second) : 0;
  }

  const Plan& plan_;
  const Observations& observations_;
  std::set<const Node*> logarithms_, others_;  // nodes that lead to one
  std::map<std::string, double> found_;
};

}  // namespace

bool has_logarithms(const Graph& graph) {
  return std::ranges::any_of(graph.values(), [](const Value* value) {
    return std::ranges::any_of(
        value->uses(), [&](const Use& use) { return !value->is_constant() && magnifies(use); });
  });
}

double share_lost(const Statistics& s) {
  if (!s.histogram || s.histogram->empty()) return 0;
  const Histogram& h = *s.histogram;
  const double half_step = (std::max(s.max, 0.0f) - std::min(s.min, 0.0f)) / 510.0;
  double lost = 0, all = 0;
  for (std::int64_t k = h.first(); k <= h.last(); ++k) {
    const auto count = static_cast<double>(h.count(k));
    const double left = static_cast<double>(k) * h.width(), right = left + h.width();
    const double inside = std::min(right, half_step) - std::max(left, -half_step);
    all += count;
    if (inside > 0) lost += count * inside / h.width();
  }
  return all > 0 ? lost / all : 0;
}

std::map<std::string, double> before_logarithms(const Graph& graph, const Plan& plan,
                                                const Observations& observations) {
  return Search(graph, plan, observations).found();
}

}  // namespace intaglio
