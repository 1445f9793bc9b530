#include "calibration/refine/lockstep.h"

#include <algorithm>
#include <numeric>

#include "calibration/refine/channel_sums.h"
#include "calibration/refine/dequantized_weights.h"
#include "lib/base/parallel.h"

namespace intaglio {
namespace {

// Every beginning of it is spread over the whole: steps of the golden section, made coprime.
std::vector<std::size_t> spread_order(std::size_t count) {
  auto stride = static_cast<std::size_t>(0.618 * static_cast<double>(count)) + 1;
  while (std::gcd(stride, count) != 1) ++stride;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) order.push_back((count / 2 + i * stride) % count);
  return order;
}

}  // namespace

Lockstep::Lockstep(const Model& model, const Plan& plan, const Samples& samples,
                   const LockstepOptions& options)
    : twin_(rounded_weights(model, plan)),
      samples_(samples),
      options_(options),
      reference_(model.graph()),
      quantized_(twin_.graph()),
      shifts_(reference_.program().steps.size()) {
  for (const ActivationPlan& a : plan.activations) activations_[a.name] = &a;
  if (samples.count > 0) order_ = spread_order(samples.count);
  probe();
}

void Lockstep::run(const Visit& before, const Visit& behind) {
  const std::size_t steps = reference_.program().steps.size();
  for (std::size_t s = 0; s < steps; ++s) {
    if (options_.progress) options_.progress(s, steps);
    admit(s);
    before(s);
    each_sample([&](std::size_t i) { compute(*runs_[i], s); });
    behind(s);
    each_sample([&](std::size_t i) { finish(*runs_[i], s); });
  }
  if (options_.progress) options_.progress(steps, steps);
}

void Lockstep::each_sample(const std::function<void(std::size_t)>& f) {
  parallel_for(runs_.size(), options_.threads, [&](std::size_t, std::size_t i) { f(i); });
}

void Lockstep::replace(std::size_t step, std::size_t input, Tensor constant) {
  const int slot = quantized_.program().steps[step].inputs.at(input);
  const Value& value = *quantized_.program().values[static_cast<std::size_t>(slot)];
  twin_.graph().find(value.name())->set_constant(constant);
  quantized_.renew(step);
  for (const auto& run : runs_) run->twin.value(slot) = constant;
}

void Lockstep::shift(std::size_t step, std::vector<float> by_channel) {
  const int slot = quantized_.program().steps[step].outputs.at(0);
  each_sample([&](std::size_t i) { add_to_channels(runs_[i]->twin.value(slot), by_channel); });
  shifts_[step] = std::move(by_channel);
}

// --- Samples ---

// What one sample holds at every step says how many may take part.
void Lockstep::probe() {
  const auto feeds = load_next();
  if (!feeds) throw none_loaded(samples_);
  next_ = 0;  // it takes part like any other
  const Program& program = reference_.program();
  Stepper run(reference_, *feeds);
  std::vector<std::uint64_t> held(program.values.size(), 0), live(program.steps.size());  // bytes
  std::uint64_t now = 0;
  const auto hold = [&](int slot) {
    if (slot >= 0) now += held[static_cast<std::size_t>(slot)] = run.value(slot).bytes();
  };
  for (const int slot : program.feeds) hold(slot);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    run.run(step);
    for (const int slot : step.outputs) hold(slot);
    live[s] = now;
    for (const int slot : step.dies) now -= held[static_cast<std::size_t>(slot)];
    run.forget(step);
  }
  capacity_.resize(live.size());
  std::uint64_t most = 1;
  for (std::size_t s = live.size(); s-- > 0;) {
    most = std::max(most, 2 * live[s]);
    capacity_[s] = std::clamp<std::size_t>(options_.memory / most, 1, options_.most_samples);
  }
}

std::optional<std::vector<Tensor>> Lockstep::load_next() {
  while (next_ < order_.size())
    if (auto feeds = samples_.load(order_[next_++])) return feeds;
  return std::nullopt;
}

void Lockstep::admit(std::size_t step) {
  while (runs_.size() < capacity_[step] && next_ < order_.size()) {
    std::vector<std::size_t> tried;
    for (std::size_t i = runs_.size(); i < capacity_[step] && next_ < order_.size(); ++i)
      tried.push_back(order_[next_++]);
    std::vector<std::unique_ptr<Run>> fresh(tried.size());
    parallel_for(tried.size(), options_.threads, [&](std::size_t, std::size_t i) {
      const auto feeds = samples_.load(tried[i]);
      if (!feeds) return;
      fresh[i] = start(*feeds);
      for (std::size_t s = 0; s < step; ++s) {
        compute(*fresh[i], s);
        if (!shifts_[s].empty())
          add_to_channels(fresh[i]->twin.value(quantized_.program().steps[s].outputs[0]),
                          shifts_[s]);
        finish(*fresh[i], s);
      }
    });
    for (auto& run : fresh)
      if (run) runs_.push_back(std::move(run));
  }
}

std::unique_ptr<Lockstep::Run> Lockstep::start(const std::vector<Tensor>& feeds) {
  auto run = std::make_unique<Run>(Run{{reference_, feeds}, {quantized_, feeds}});
  for (const int slot : quantized_.program().feeds) round(*run, slot);
  return run;
}

// --- Steps ---

void Lockstep::compute(Run& run, std::size_t s) const {
  run.reference.run(reference_.program().steps[s]);
  run.twin.run(quantized_.program().steps[s]);
}

void Lockstep::finish(Run& run, std::size_t s) const {
  const Step& step = quantized_.program().steps[s];
  for (const int slot : step.outputs)
    if (slot >= 0) round(run, slot);
  run.reference.forget(reference_.program().steps[s]);
  run.twin.forget(step);
}

void Lockstep::round(Run& run, int slot) const {
  const auto it =
      activations_.find(quantized_.program().values[static_cast<std::size_t>(slot)]->name());
  if (it != activations_.end())
    round_to_codes(run.twin.value(slot), it->second->params, it->second->scheme);
}

}  // namespace intaglio
