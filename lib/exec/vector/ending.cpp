#include "lib/exec/vector/ending.h"

namespace intaglio {

Ending::Ending(const PostOps& ops) {
  if (ops.empty()) return;
  const PostOp& op = ops.front();
  if (op.kind == PostOp::Kind::clip) {
    lo = op.alpha;
    hi = op.beta;
    taken = 1;
  } else if (op.kind == PostOp::Kind::leaky_relu) {
    slope = op.alpha;
    taken = 1;
  }
}

}  // namespace intaglio
