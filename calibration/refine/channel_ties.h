// Values whose channels belong together: of several, so that a change of one's channels is one of
// all.
#pragma once

#include <unordered_map>
#include <vector>

#include "calibration/refine/channel_groups.h"

namespace intaglio {

// Disjoint sets.
class DisjointSets {
 public:
  std::size_t add() {
    parents_.push_back(parents_.size());
    return parents_.size() - 1;
  }
  std::size_t find(std::size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parents_[find(b)] = find(a); }

 private:
  std::vector<std::size_t> parents_;
};

// The groups that came of it, and which of them a value is in.
struct TiedGroups {
  std::vector<ChannelGroup> groups;
  std::unordered_map<const Value*, std::size_t> index;

  ChannelGroup* of(const Value* value);  // null: of none
};

class ChannelTies {
 public:
  struct Entry {
    std::size_t set = 0;  // of values_
    int axis = 1;
    // Heads: channels lie along this axis and, inside each of its places, along the other. -1:
    // none.
    int heads = -1;
    std::vector<std::size_t> channels;  // of channels_
  };

  // A value of so many channels along the axis, tied to nothing so far. Its channels are to be set.
  Entry& enter(const Value* value, int axis, std::size_t channels);
  Entry* known(const Value* value);  // null: it was not entered
  // Entered with so many channels along this axis and no heads.
  bool fits_axis(const Value* value, int axis, std::size_t channels);
  const std::vector<const Value*>& values() const { return order_; }

  std::size_t new_channel() { return channels_.add(); }
  void tie_values(std::size_t a, std::size_t b) { values_.join(a, b); }  // Entry::set
  void tie_channels(std::size_t a, std::size_t b) { channels_.join(a, b); }

  // Nothing tied to the value can be changed. Unknown values: no effect.
  void block(const Value* value);

  // All groups that may change, values in the order in which they were entered; those with heads
  // are in none's list.
  TiedGroups groups();

 private:
  DisjointSets values_, channels_;
  std::unordered_map<const Value*, Entry> entries_;
  std::vector<const Value*> order_;
  std::vector<bool> blocked_;  // by element of values_
};

}  // namespace intaglio
