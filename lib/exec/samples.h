// Samples: what the feeds of a network come from, for whatever runs it over many.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// All functions may be called from many threads at once, for i below count. load() gives the inputs
// of the graph in its order; nullopt: the sample is bad and has been noted elsewhere.
struct Samples {
  std::size_t count = 0;
  std::function<std::optional<std::vector<Tensor>>(std::size_t)> load;
  std::function<std::optional<std::int64_t>(std::size_t)> label = {};  // null: no labels
  std::function<std::string(std::size_t)> name = {};                   // null: no names
  // What is wrong with the samples of which not one was good; null: nobody knows.
  std::function<Error()> fault = {};
};

// What to throw when not one sample could be loaded: Code::data, with the reason where it is known.
Error none_loaded(const Samples& samples);

// Runs f on what a sample gave: its errors name the sample, but for an interrupt.
template <typename F>
decltype(auto) at_sample(const std::string& name, F f) {
  try {
    return f();
  } catch (const Error& e) {
    if (e.code() == Code::interrupted || name.empty()) throw;
    throw e.within(name);
  }
}

template <typename F>
decltype(auto) at_sample(const Samples& samples, std::size_t i, F f) {
  return at_sample(samples.name ? samples.name(i) : std::string(), std::move(f));
}

// The middle of part i, when `of` are divided into `count` equal parts: how all that takes some of
// many spreads them evenly.
constexpr std::size_t middle_of_part(std::size_t i, std::size_t count, std::size_t of) {
  return (2 * i + 1) * of / (2 * count);
}

// At most `count` of them, spread evenly.
Samples spread(Samples samples, std::size_t count);

// The middle one of each n of them, and all the others: n = 5 takes numbers 2, 7, 12, ...
Samples every_nth(Samples samples, std::size_t n);
Samples without_every(Samples samples, std::size_t n);

}  // namespace intaglio
