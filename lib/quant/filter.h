// Which nodes the user wants quantized, by names and by operators.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/draft.h"

namespace intaglio {

// The types of weights that the user wants for some nodes. Throws as NodeFilter.
class WeightTypes {
 public:
  WeightTypes(const std::vector<Node*>& nodes, const Selection& selection);
  // DType::undefined: float; nullopt: the target's.
  std::optional<DType> of(const Node& node) const;

 private:
  void require_found(const std::vector<Node*>& nodes) const;

  std::map<const Node*, DType> types_;
  std::optional<DType> head_, table_;
};

// Throws Code::usage for a bad regular expression and for what matches no node (see Selection).
class NodeFilter {
 public:
  NodeFilter(const std::vector<Node*>& nodes, const Selection& selection);
  // Why the user leaves the node out; nullopt: they do not.
  std::optional<std::string> refuse(const Node& node) const;

 private:
  using Hits = std::map<const Node*, std::string>;
  static void by_name(const std::vector<Node*>& nodes, const std::vector<std::string>& patterns,
                      const char* option, Hits& hits);
  static void by_op(const std::vector<Node*>& nodes, const std::vector<std::string>& ops,
                    const char* option, Hits& hits);
  // Whether any matches.
  static bool collect(const std::vector<Node*>& nodes, const char* option, const std::string& what,
                      Hits& hits, const std::function<bool(const Node&)>& matches);

  const std::map<std::string, std::string> left_float_;  // by first output
  bool has_include_;
  Hits included_, excluded_;
};

}  // namespace intaglio
