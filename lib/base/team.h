// Threads that share the loops of one computation: what kernels use when there are fewer samples
// than cores.
//
//   Team team(4);
//   Team::Use use(team);
//   split(rows, 1, [&](std::int64_t first, std::int64_t last) { ... });   // on four threads
//
// How a loop is split depends on timing: a deterministic result is the caller's duty (every element
// must come out the same in whatever part it lies).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace intaglio {

class Team {
 public:
  // The thread that uses it and `threads` - 1 more, which wait for work until it is destroyed.
  explicit Team(std::size_t threads);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  std::size_t size() const;

  // split() on the calling thread uses the team. One use at a time.
  class Use {
   public:
    explicit Use(Team& team);
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

   private:
    Team* before_;
  };

  using Part = std::function<void(std::int64_t first, std::int64_t last)>;

 private:
  friend void split_in_team(Team&, std::int64_t, std::int64_t, const Part&);
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

// The team in use on this thread; null without one, and inside split().
Team* team_in_use();

void split_in_team(Team& team, std::int64_t count, std::int64_t least, const Team::Part& body);

// Calls body(first, last) for parts that make up [0, count), none of them empty, each `least` long
// at least unless that is all; at once and as a whole when no team is in use. Returns when all have
// ended; rethrows what one of them threw.
template <typename F>
void split(std::int64_t count, std::int64_t least, const F& body) {
  if (count <= 0) return;
  Team* team = count >= 2 * least ? team_in_use() : nullptr;
  if (team == nullptr) return body(std::int64_t{0}, count);
  split_in_team(*team, count, least, body);
}

}  // namespace intaglio
