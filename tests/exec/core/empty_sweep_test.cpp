// Every operator that runs, on tensors without elements whose other lengths are astronomical: a
// result or an error, at once. Each operator in a process of its own, which a timer ends.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <set>

#include "lib/base/memory.h"
#include "lib/exec/executor.h"
#include "lib/exec/registry.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

constexpr std::int64_t huge = std::int64_t{1} << 40;
constexpr unsigned seconds = 10;  // for all cases of one operator; they take some milliseconds

// What operators need to be given; each reads what it knows.
constexpr const char* attributes =
    "<axis={}, kernel_shape=[1,1], blocksize=1, to=1, perm=[0,1], num_heads=1, num_outputs=2, "
    "direction=\"forward\", hidden_size=2, epsilon=0.1, size=1, pooled_shape=[1,1], k=1>";

struct Others {
  DType dtype;
  std::optional<Shape> shape;  // nullopt: that of the first input
};
const std::array<Others, 5> others = {{{DType::f32, std::nullopt},
                                       {DType::s64, Shape{1}},
                                       {DType::s64, Shape{}},
                                       {DType::f32, Shape{}},
                                       {DType::s64, Shape{2}}}};

// axis < 0: without any attributes.
void run_case(const KernelDef& def, const Shape& shape, const Others& rest, int inputs, int axis) {
  std::string feeds, names;
  std::vector<Tensor> values;
  for (int i = 0; i < inputs; ++i) {
    const bool first = i == 0 || !rest.shape;
    const std::string name = "x" + std::to_string(i);
    feeds += (i == 0 ? "" : ", ") + std::string(first ? "float " : "int64 ") + name;
    names += (i == 0 ? "" : ", ") + name;
    values.emplace_back(first ? DType::f32 : rest.dtype, first ? shape : *rest.shape);
  }
  const std::string call = std::string(def.domain.empty() ? "" : std::string(def.domain) + ".") +
                           std::string(def.op) + (axis < 0 ? "" : fmt::format(attributes, axis)) +
                           "(" + names + ")";
  Model model = testing::TextModel()
                    .opset(std::max(def.since, 13))
                    .domain("com.microsoft")
                    .model("(" + feeds + ") => (y) { y = " + call + " }");
  for (std::size_t i = 0; i < values.size(); ++i) {
    model.graph().find("x" + std::to_string(i))->set_type(values[i].dtype(), std::nullopt);
    if (values[i].shape().size() <= 1 && values[i].size() > 0)
      std::memset(values[i].raw_mutate(), 0, values[i].bytes());
  }
  Executor(model.graph()).run(values);
}

// All cases of an operator; `place` says which one runs.
void run_all(const KernelDef& def, std::span<char> place) {
  set_memory_limit(std::size_t{200} << 20);
  const std::array<Shape, 6> shapes = {Shape{huge, 0},       Shape{0, huge},
                                       Shape{huge, 0, 2, 2}, Shape{0, 1, huge, 2},
                                       Shape{1, huge, 0},    Shape{1, 2, 0, huge}};
  for (const Shape& shape : shapes)
    for (const Others& rest : others)
      for (int inputs = 1; inputs <= 4; ++inputs)
        for (const int axis : {-1, 0, 1}) {
          const std::string text =
              fmt::format("{} with {} inputs, others {}, axis {}", to_string(shape), inputs,
                          rest.shape ? to_string(*rest.shape) : "alike", axis);
          place[text.copy(place.data(), place.size() - 1)] = '\0';
          try {
            run_case(def, shape, rest, inputs, axis);
          } catch (const std::exception&) {
          }
        }
}

TEST(EmptySweep, EveryOperatorIsDoneAtOnce) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "under sanitizers memory that is refused ends the process";
#endif
  void* shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  const std::span place(static_cast<char*>(shared), 4096);
  std::set<std::string> seen;
  for (const KernelDef& def : default_registry().all()) {
    const std::string name = fmt::format("{}.{} since {}", def.domain, def.op, def.since);
    if (!seen.insert(name).second) continue;
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(seconds);
      run_all(def, place);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << name << " on " << place.data()
                         << (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": not done"
                                                                                : ": crashed");
  }
  ::munmap(shared, 4096);
}

}  // namespace
}  // namespace intaglio
