#include "tests/support/support.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "lib/exec/executor.h"
#include "lib/exec/infer.h"

extern char** environ;

namespace intaglio::testing {

std::filesystem::path source_dir() { return INTAGLIO_SOURCE_DIR; }

std::string data(const std::string& name) { return (source_dir() / "data" / name).string(); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::optional<std::filesystem::path> shared(std::string_view relative) {
  const char* root = std::getenv("INTAGLIO_SHARED");
  const auto base = root != nullptr ? std::filesystem::path(root) : source_dir() / ".." / "shared";
  const auto path = base / relative;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return std::filesystem::canonical(path);
}

namespace {
// The folder of this process, removed when it ends.
struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("intaglio-test-" + std::to_string(::getpid()));
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};
}  // namespace

std::filesystem::path fresh_folder() {
  static const Scratch scratch;
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(info->test_suite_name()) + "." + info->name();
  for (char& c : name)
    if (c == '/') c = '_';
  const auto path = scratch.path / name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, double rtol,
                                 double atol) {
  if (actual.dtype() != expected.dtype())
    return ::testing::AssertionFailure()
           << "type " << name_of(actual.dtype()) << " is not " << name_of(expected.dtype());
  if (actual.shape() != expected.shape())
    return ::testing::AssertionFailure()
           << "shape " << to_string(actual.shape()) << " is not " << to_string(expected.shape());
  const auto a = actual.to_vector<double>(), b = expected.to_vector<double>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (a[i] == b[i]) continue;
    if (!(std::abs(a[i] - b[i]) <= atol + rtol * std::abs(b[i])))
      return ::testing::AssertionFailure() << "element " << i << ": " << a[i] << " is not " << b[i];
  }
  return ::testing::AssertionSuccess();
}

std::vector<Tensor> run_text(const TextModel& text, const std::vector<Tensor>& feeds) {
  const Model model = text.model();
  return Executor(model.graph()).run(feeds);
}

Tensor random_tensor(Shape shape, unsigned seed, float lo, float hi) {
  Tensor tensor(DType::f32, std::move(shape));
  std::mt19937 engine(seed);
  for (float& v :
       tensor.mutate<float>())  // not std::uniform_real_distribution: it differs by library
    v = lo + (hi - lo) * static_cast<float>(engine()) / 4294967296.0f;
  return tensor;
}

Model random_model(const std::string& graph, int opset) {
  Model model = TextModel().opset(opset).model(graph);
  const auto inputs = model.graph().feeds();
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Shape shape;
    for (const Dim& d : *inputs[i]->dims()) shape.push_back(d.value);
    inputs[i]->set_constant(random_tensor(shape, static_cast<unsigned>(i) + 6));
  }
  infer_types(model);
  return model;
}

Samples random_samples(const Shape& shape, std::size_t count) {
  return {count, [shape](std::size_t i) {
            return std::vector<Tensor>{random_tensor(shape, 100 + static_cast<unsigned>(i))};
          }};
}

namespace {
std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
}  // namespace

Ran run_program(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{INTAGLIO_BINARY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

Ran run_command(const std::vector<std::string>& command) {
  static int calls = 0;
  const auto stem = std::filesystem::temp_directory_path() /
                    ("intaglio-run-" + std::to_string(::getpid()) + "-" + std::to_string(calls++));
  const std::string out = stem.string() + ".out", err = stem.string() + ".err";
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  pid_t pid = 0;
  int status = -1;
  if (::posix_spawnp(&pid, argv.front(), &actions, nullptr, argv.data(), environ) == 0)
    ::waitpid(pid, &status, 0);
  posix_spawn_file_actions_destroy(&actions);
  Ran ran{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out), slurp(err)};
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  return ran;
}

}  // namespace intaglio::testing
