// What a model is made of, as far as its size goes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

struct Contents {
  struct Constant {
    DType type = DType::undefined;
    std::uint64_t elements = 0, bytes = 0;
  };
  std::size_t nodes = 0;
  std::map<std::string, Constant> constants;  // by value; equal names of nested graphs together

  std::uint64_t elements() const;
  std::uint64_t bytes() const;  // of the constants
};

// Initializers, in the file or outside of it, and what Constant nodes hold; nested graphs included.
Contents contents_of(const Graph& graph);

// Why a model takes more bytes than the one that it was made from: the constants that grew or were
// added, the largest first, or the nodes with what belongs to them. The sizes are those of the
// files.
std::string growth(const Contents& before, std::uint64_t size_before, const Contents& after,
                   std::uint64_t size_after);

// "3.85 times smaller" than the size before, or larger.
std::string size_ratio(std::uint64_t before, std::uint64_t after);

}  // namespace intaglio
