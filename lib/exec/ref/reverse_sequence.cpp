// ReverseSequence: turns the first sequence_lens[b] steps of each batch entry b around.
#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_reverse_sequence(const Node& node) {
  const std::int64_t batch_axis = node.attr_int("batch_axis", 1);
  const std::int64_t time_axis = node.attr_int("time_axis", 0);
  const bool right = (batch_axis == 0 && time_axis == 1) || (batch_axis == 1 && time_axis == 0);
  if (!right) throw Error(Code::model, "batch_axis and time_axis must be 0 and 1, or 1 and 0");
  return make_kernel([time_first = time_axis == 0](KernelContext& c) {
    const Tensor& x = c.input(0);
    if (x.rank() < 2) throw Error(Code::model, "the data needs a batch and a time axis");
    const std::int64_t steps = x.dim(time_first ? 0 : 1), batch = x.dim(time_first ? 1 : 0);
    const auto lengths = c.input(1).to_vector<std::int64_t>();
    if (static_cast<std::int64_t>(lengths.size()) != batch)
      throw Error(Code::model, fmt::format("{} lengths for a batch of {}", lengths.size(), batch));
    Tensor& result = c.output(0, x.dtype(), x.shape());
    const auto block =
        static_cast<std::size_t>(product(x.shape(), 2, x.shape().size())) * element_width(x);
    std::byte* out = result.raw_mutate();
    const auto offset = [&](std::int64_t b, std::int64_t t) {
      return static_cast<std::size_t>(time_first ? t * batch + b : b * steps + t) * block;
    };
    for (std::int64_t b = 0; b < batch; ++b) {
      const std::int64_t turned = lengths[static_cast<std::size_t>(b)];
      if (turned < 0 || turned > steps)
        throw Error(Code::model, fmt::format("a length of {} among {} steps", turned, steps));
      for (std::int64_t t = 0; t < steps && block > 0; ++t)
        std::memcpy(out + offset(b, t < turned ? turned - 1 - t : t), x.raw() + offset(b, t),
                    block);
    }
  });
}

}  // namespace

void register_reverse_sequence(Registry& registry) {
  registry.add(
      {.op = "ReverseSequence", .since = 10, .make = make_reverse_sequence, .infer = rules::like});
}

}  // namespace intaglio
