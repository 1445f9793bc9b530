// The reference kernels alone: the slow twins that fast kernels are compared with.
#pragma once

#include "lib/exec/registry.h"

namespace intaglio::testing {

// Those of the default registry; made once, from any thread.
inline const Registry& references() {
  static const Registry registry = [] {
    Registry slow;
    for (const KernelDef& def : default_registry().all())
      if (def.impl == "ref") slow.add(def);
    return slow;
  }();
  return registry;
}

}  // namespace intaglio::testing
