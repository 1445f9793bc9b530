#include "lib/exec/executor.h"

#include <fmt/format.h>

#include <mutex>
#include <new>

#include "lib/base/memory.h"
#include "lib/base/progress.h"
#include "lib/exec/profile.h"
#include "lib/tensor/buffer_pool.h"

namespace intaglio {

struct Executor::Buffers {
  // A pool for one run; it goes back when the pointer dies.
  class Lease {
   public:
    explicit Lease(Buffers& owner) : owner_(owner) {
      const std::lock_guard lock(owner.mutex);
      if (owner.idle.empty()) {
        pool = std::make_unique<BufferPool>();
      } else {
        pool = std::move(owner.idle.back());
        owner.idle.pop_back();
      }
    }
    ~Lease() {
      const std::lock_guard lock(owner_.mutex);
      owner_.idle.push_back(std::move(pool));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    std::unique_ptr<BufferPool> pool;

   private:
    Buffers& owner_;
  };

  std::mutex mutex;
  std::vector<std::unique_ptr<BufferPool>> idle;
};

Executor::Executor(const Graph& graph, const CompileOptions& options)
    : program_(compile(graph, options)), buffers_(std::make_shared<Buffers>()) {}

void Executor::renew(std::size_t index) {
  Step& step = program_.steps.at(index);
  if (!step.fused.empty())
    throw Error(Code::internal, step.node->label() + ": its step does the work of others too", "");
  step.kernel = step.def->make(*step.node);
  for (auto& [slot, tensor] : program_.constants)
    tensor = program_.values[static_cast<std::size_t>(slot)]->constant();
}

void Executor::check_feed(const Value& value, const Tensor& tensor) const {
  bool fits = value.dtype() == DType::undefined || value.dtype() == tensor.dtype();
  if (fits && value.dims()) {
    fits = static_cast<int>(value.dims()->size()) == tensor.rank();
    for (std::size_t i = 0; fits && i < value.dims()->size(); ++i) {
      const Dim& dim = (*value.dims())[i];
      fits = !dim.known() || dim.value == tensor.dim(i);
    }
  }
  if (!fits)
    throw Error(
        Code::data,
        fmt::format("input '{}' wants {} {}, was given {} {}", value.name(), name_of(value.dtype()),
                    value.dims() ? to_string(*value.dims()) : "", name_of(tensor.dtype()),
                    to_string(tensor.shape())),
        "Give data of that shape and type; for images, set `crop`, `channels` or `layout`.");
}

std::vector<Tensor> Executor::run(std::span<const Tensor> feeds, const Tap& tap,
                                  Profile* profile) const {
  if (feeds.size() != program_.feeds.size())
    throw Error(Code::data, fmt::format("the model has {} inputs, {} were given",
                                        program_.feeds.size(), feeds.size()));
  const Buffers::Lease lease(*buffers_);
  const BufferPool::Use use(*lease.pool);
  std::vector<Tensor> slots(program_.values.size());
  for (const auto& [slot, tensor] : program_.constants)
    slots[static_cast<std::size_t>(slot)] = tensor;
  const auto show = [&](int slot) {
    const auto at = static_cast<std::size_t>(slot);
    if (tap && program_.observed[at] && is_float(slots[at].dtype()))
      tap(*program_.values[at], slots[at]);
  };
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const int slot = program_.feeds[i];
    // What a nested graph is fed comes from the model, whose annotations may be those of one run.
    if (graph().outer() == nullptr)
      check_feed(*program_.values[static_cast<std::size_t>(slot)], feeds[i]);
    slots[static_cast<std::size_t>(slot)] = feeds[i];
    show(slot);
  }
  if (profile != nullptr) profile->begin(program_);
  for (const Step& step : program_.steps) {
    check_interrupt();
    run_step(step, slots);
    if (profile != nullptr) profile->end_of(step, slots);
    for (const int slot : step.outputs)
      if (slot >= 0) show(slot);
    for (const int slot : step.dies) slots[static_cast<std::size_t>(slot)] = Tensor();
  }
  std::vector<Tensor> outputs;
  for (const int slot : program_.outputs)
    outputs.push_back(to_row_major(slots[static_cast<std::size_t>(slot)]));
  return outputs;
}

std::string_view Executor::name_of_result(const Step& step) const {
  for (const int slot : step.outputs)
    if (slot >= 0) return program_.values[static_cast<std::size_t>(slot)]->name();
  return "nothing";
}

void Executor::run_step(const Step& step, std::vector<Tensor>& slots) const {
  std::vector<const Tensor*> inputs;
  for (const int slot : step.inputs)
    inputs.push_back(slot < 0 ? nullptr : &slots[static_cast<std::size_t>(slot)]);
  std::vector<Tensor> moved(inputs.size());  // to the layout that the kernel reads
  if (!step.kernel->takes_any_layout())
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] != nullptr && inputs[i]->layout() != Layout::row_major)
        inputs[i] = &(moved[i] = to_row_major(*inputs[i]));
  std::vector<Tensor> outputs(step.outputs.size());
  if (step.slice) outputs[0] = std::move(slots[static_cast<std::size_t>(step.outputs[0])]);
  const auto place = [&] {
    std::string text = step.node->label();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] != nullptr) text += (i == 0 ? " on " : ", ") + to_string(inputs[i]->shape());
    return text;
  };
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != nullptr && !inputs[i]->defined())
      throw Error(Code::unsupported,
                  fmt::format("{}: input {} ('{}') has no dense value (a sparse initializer?)",
                              step.node->label(), i,
                              program_.values[static_cast<std::size_t>(step.inputs[i])]->name()),
                  "Export the model with dense initializers.");
  try {
    KernelContext context(*step.node, inputs, outputs, step.slice);
    step.kernel->run(context);
  } catch (const MemoryLimitReached& e) {
    throw e.within(fmt::format("{}, making '{}'", place(), name_of_result(step)));
  } catch (const Error& e) {
    throw e.within(place());
  } catch (const std::bad_alloc&) {
    throw Error(Code::unsupported, place() + ": not enough memory for the result",
                "Check the shapes; run on a machine with more memory or use fewer `threads`.");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (step.outputs[i] >= 0)
      slots[static_cast<std::size_t>(step.outputs[i])] = std::move(outputs[i]);
}

}  // namespace intaglio
