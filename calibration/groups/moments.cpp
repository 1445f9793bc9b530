#include "calibration/groups/moments.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "lib/base/mapped_files.h"
#include "lib/base/parallel.h"
#include "lib/exec/ops/gemm.h"

namespace intaglio {
namespace {

constexpr std::int64_t strip = 64;       // columns of the matrix that are made at a time
constexpr double most_at_once = 0x1p52;  // units that one sample may add, so that sums stay exact

// X of a value: all axes but the last are rows.
struct Rows {
  Tensor tensor;
  std::size_t rows = 0, width = 0;
  const float* data() const { return tensor.data<float>().data(); }
};

Rows rows_of(const Tensor& value) {
  Rows x{to_row_major(value)};
  x.width = static_cast<std::size_t>(value.shape().back());
  x.rows = x.width == 0 ? 0 : static_cast<std::size_t>(value.size()) / x.width;
  return x;
}

struct Sums {
  std::mutex mutex;
  InputMoments moments;
};

class Collecting {
 public:
  Collecting(const Graph& graph, const std::set<std::string>& values, const Samples& samples,
             const MomentOptions& options)
      : samples_(samples), options_(options), executor_(graph, only(values)) {
    for (const std::string& name : values) sums_[name];
    // Most kernels have packed their weights: the pages of the file would stay for nothing.
    for (const Value* value : graph.values())
      if (value->is_constant())
        give_back_pages({value->constant().raw(), value->constant().bytes()});
  }

  std::map<std::string, InputMoments> run() {
    std::size_t first = 0;
    while (first < samples_.count && !take(first)) ++first;
    if (first == samples_.count) throw none_loaded(samples_);
    std::atomic<std::size_t> done = first + 1;
    const std::size_t left = samples_.count - first - 1;
    parallel_for(left, options_.threads, [&](std::size_t worker, std::size_t i) {
      take(first + 1 + i);
      const std::size_t so_far = ++done;
      if (worker == 0 && options_.progress) options_.progress(so_far, samples_.count);
    });
    if (options_.progress) options_.progress(samples_.count, samples_.count);
    std::map<std::string, InputMoments> found;
    for (auto& [name, sums] : sums_) found[name] = std::move(sums.moments);
    return found;
  }

 private:
  static CompileOptions only(const std::set<std::string>& values) {
    CompileOptions options;
    const auto names = std::make_shared<const std::set<std::string>>(values);
    options.observed = [names](const Value& value) { return names->contains(value.name()); };
    return options;
  }

  bool take(std::size_t i) {
    const auto feeds = samples_.load(i);
    if (!feeds) return false;
    at_sample(samples_, i, [&] {
      executor_.run(*feeds, [&](const Value& value, const Tensor& t) { add(value, t); });
    });
    return true;
  }

  void add(const Value& value, const Tensor& tensor) {
    const auto it = sums_.find(value.name());
    if (it == sums_.end() || tensor.rank() < 1) return;
    const Rows x = rows_of(tensor);
    Sums& sums = it->second;
    const std::lock_guard lock(sums.mutex);
    if (sums.moments.width() == 0)
      sums.moments = InputMoments(x.width, unit_for(x.data(), x.rows, x.width));
    sums.moments.add(x.data(), x.rows);
  }

  const Samples& samples_;
  const MomentOptions& options_;
  Executor executor_;
  std::map<std::string, Sums> sums_;
};

}  // namespace

InputMoments::InputMoments(std::size_t width, double unit)
    : width_(width), unit_(unit), sums_(width * (width + 1) / 2) {}

void InputMoments::add(const float* x, std::size_t rows) {
  const auto n = static_cast<std::int64_t>(width_), depth = static_cast<std::int64_t>(rows);
  if (rows == 0) return;
  const double per_unit = 1 / unit_;
  std::vector<float> c(static_cast<std::size_t>(n * strip));
  for (std::int64_t first = 0; first < n; first += strip) {
    const std::int64_t columns = std::min(strip, n - first), last = first + columns;
    const PackedLeft left({x, last, depth, 1, n});  // rows 0 .. last of X'
    const PackedRight right({x + first, depth, columns, n, 1});
    gemm(left, right, {.c = c.data(), .ldc = columns});
    for (std::int64_t i = 0; i < last; ++i)
      for (std::int64_t j = std::max(i, first); j < last; ++j) {
        const auto sum = static_cast<double>(c[static_cast<std::size_t>(i * columns + j - first)]);
        const double units = std::clamp(sum * per_unit, -most_at_once, most_at_once);
        if (std::isfinite(units))
          sums_[index(static_cast<std::size_t>(i), static_cast<std::size_t>(j))] +=
              std::llrint(units);
      }
  }
}

std::vector<double> InputMoments::diagonal() const {
  std::vector<double> squares(width_);
  for (std::size_t i = 0; i < width_; ++i) squares[i] = at(i, i);
  return squares;
}

void InputMoments::merge(const InputMoments& other) {
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
}

double unit_for(const float* x, std::size_t rows, std::size_t width) {
  double sum = 0;
  for (std::size_t i = 0; i < rows * width; ++i)
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const double mean = width > 0 ? sum / static_cast<double>(width) : 0;
  if (!std::isfinite(mean) || !(mean > 0)) return 0x1p-20;
  return std::ldexp(1.0, std::ilogb(mean) - 20);
}

std::map<std::string, InputMoments> collect_moments(const Graph& graph,
                                                    const std::set<std::string>& values,
                                                    const Samples& samples,
                                                    const MomentOptions& options) {
  return Collecting(graph, values, samples, options).run();
}

}  // namespace intaglio
