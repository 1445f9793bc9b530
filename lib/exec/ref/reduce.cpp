// ReduceSum, -Mean, -Prod, -Max, -Min, -L1, -L2, -LogSum, -LogSumExp, -SumSquare.
//
// A reduction is a struct with the start of a sum, one step, the joining of two partial sums and
// the final function; lib/exec/ops/reduce.h walks through the data.
#include "lib/exec/ops/reduce.h"
#include "lib/exec/shape_rule.h"

#include <cmath>
#include <limits>

namespace intaglio {
namespace {

// Floats are summed in double; integers modulo 2^64, which wraps as numpy does and is never
// undefined.
template <typename T>
using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <typename T>
double as_double(Sum<T> sum) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    return static_cast<double>(static_cast<std::int64_t>(sum));
  else
    return static_cast<double>(sum);
}

template <typename T>
struct Add {
  using State = Sum<T>;
  static State start() { return 0; }
  static State step(State s, Compute<T> x) { return s + static_cast<State>(x); }
  static State join(State a, State b) { return a + b; }
  static State finish(State s, std::int64_t) { return s; }
};

template <typename T>
struct Mean : Add<T> {
  static auto finish(Sum<T> s, std::int64_t count) {
    if constexpr (std::is_integral_v<T>) {
      if (count == 0) throw Error(Code::model, "the mean of no integers");
      using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
      return static_cast<Wide>(s) / static_cast<Wide>(count);
    } else {
      return s / static_cast<double>(count);
    }
  }
};

template <typename T>
struct Prod : Add<T> {
  static Sum<T> start() { return 1; }
  static Sum<T> step(Sum<T> s, Compute<T> x) { return s * static_cast<Sum<T>>(x); }
  static Sum<T> join(Sum<T> a, Sum<T> b) { return a * b; }
};

template <typename T>
struct L1 : Add<T> {
  static Sum<T> step(Sum<T> s, Compute<T> x) {
    return x < 0 ? s - static_cast<Sum<T>>(x) : s + static_cast<Sum<T>>(x);
  }
};

template <typename T>
struct SumSquare : Add<T> {
  static Sum<T> step(Sum<T> s, Compute<T> x) {
    return s + static_cast<Sum<T>>(x) * static_cast<Sum<T>>(x);
  }
};

template <typename T>
struct L2 : SumSquare<T> {
  static double finish(Sum<T> s, std::int64_t) { return std::sqrt(as_double<T>(s)); }
};

template <typename T>
struct LogSum : Add<T> {
  static double finish(Sum<T> s, std::int64_t) { return std::log(as_double<T>(s)); }
};

// The greatest exponent so far and the sum of e^(x - greatest): no overflow, and one pass.
template <typename T>
struct LogSumExp {
  struct State {
    double greatest, sum;
  };
  static State start() { return {-std::numeric_limits<double>::infinity(), 0}; }
  static State step(State s, Compute<T> x) { return join(s, {static_cast<double>(x), 1}); }
  static State join(State a, State b) {
    if (a.greatest < b.greatest) std::swap(a, b);
    if (a.greatest == b.greatest) return {a.greatest, a.sum + b.sum};  // infinities included
    return {a.greatest, a.sum + b.sum * std::exp(b.greatest - a.greatest)};
  }
  static double finish(State s, std::int64_t) { return s.greatest + std::log(s.sum); }
};

// NaN wins, as in numpy.
template <typename T>
struct Max {
  using State = Compute<T>;
  using Limits = std::numeric_limits<State>;
  static State start() { return Limits::has_infinity ? -Limits::infinity() : Limits::lowest(); }
  static State step(State s, State x) { return x > s || x != x ? x : s; }
  static State join(State a, State b) { return step(a, b); }
  static State finish(State s, std::int64_t) { return s; }
};

template <typename T>
struct Min : Max<T> {
  using typename Max<T>::State;
  using typename Max<T>::Limits;
  static State start() { return Limits::has_infinity ? Limits::infinity() : Limits::max(); }
  static State step(State s, State x) { return x < s || x != x ? x : s; }
  static State join(State a, State b) { return step(a, b); }
};

}  // namespace

void register_reduce(Registry& registry) {
  registry.add({.op = "ReduceSum", .make = make_reduce<Add>, .infer = rules::reduce});
  registry.add({.op = "ReduceMean", .make = make_reduce<Mean>, .infer = rules::reduce});
  registry.add({.op = "ReduceProd", .make = make_reduce<Prod>, .infer = rules::reduce});
  registry.add({.op = "ReduceMax", .make = make_reduce<Max>, .infer = rules::reduce});
  registry.add({.op = "ReduceMin", .make = make_reduce<Min>, .infer = rules::reduce});
  registry.add({.op = "ReduceL1", .make = make_reduce<L1>, .infer = rules::reduce});
  registry.add({.op = "ReduceL2", .make = make_reduce<L2>, .infer = rules::reduce});
  registry.add({.op = "ReduceLogSum", .make = make_reduce<LogSum>, .infer = rules::reduce});
  registry.add({.op = "ReduceLogSumExp", .make = make_reduce<LogSumExp>, .infer = rules::reduce});
  registry.add({.op = "ReduceSumSquare", .make = make_reduce<SumSquare>, .infer = rules::reduce});
}

}  // namespace intaglio
