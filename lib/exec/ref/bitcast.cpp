// BitCast (opset 26): the same bits as elements of another type of that width.
#include <fmt/format.h>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_bitcast(const Node& node) {
  return make_kernel([to = static_cast<DType>(node.attr_int("to"))](KernelContext& c) {
    const Tensor& x = c.input(0);
    if (bits_of(to) == 0 || bits_of(to) != bits_of(x.dtype()))
      throw Error(Code::model, fmt::format("{} and {} have not the same width", name_of(x.dtype()),
                                           name_of(to)));
    Tensor& y = c.output(0, to, x.shape());
    std::copy_n(x.raw(), x.bytes(), y.raw_mutate());
  });
}

void infer_bitcast(RuleContext& c) {
  rules::shaped(c, static_cast<DType>(c.node().attr_int("to")));
}

}  // namespace

void register_bitcast(Registry& registry) {
  registry.add({.op = "BitCast", .since = 26, .make = make_bitcast, .infer = infer_bitcast});
}

}  // namespace intaglio
