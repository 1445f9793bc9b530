// All kernels, as ordered candidates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/exec/kernel.h"

namespace intaglio {

class Registry {
 public:
  // Throws Code::internal when there is a kernel of the same operator, implementation and opset:
  // one would hide the other. file, line: of the call, for that message.
  void add(const KernelDef& def, const char* file = __builtin_FILE(), int line = __builtin_LINE());
  const std::vector<KernelDef>& all() const { return defs_; }

  // The candidates for a node, best first: of each implementation the newest version that is not
  // newer than the opset of the node.
  std::vector<const KernelDef*> candidates(const Node& node) const;

  // The first candidate that does not refuse. Throws Code::unsupported that names the node, its
  // opset and every refusal.
  const KernelDef& select(const Node& node) const;

  // The same kernels, with those of one implementation ahead of all others.
  Registry led_by(std::string_view impl) const;

  // The reference kernel, whether or not a faster one takes the node. Throws Code::unsupported when
  // it has none, or that refuses.
  const KernelDef& reference(const Node& node) const;

  // The rule for types and shapes of the newest version that is not newer than the opset of the
  // node; null: none.
  ShapeRule shape_rule(const Node& node) const;

  bool knows(std::string_view op, std::string_view domain = {}) const;

 private:
  std::vector<KernelDef> defs_;
  std::vector<std::string> places_;  // of defs_
};

// The registry with everything that was built in.
const Registry& default_registry();

// The same, led by the kernels that compute to the bit what onnxruntime does (lib/exec/ordered):
// slower.
const Registry& ordered_registry();

}  // namespace intaglio
