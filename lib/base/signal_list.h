// A list that a signal handler may read at any moment. Entries are never freed, only used again, so
// that a handler never looks at memory that is gone; there are as many as were ever in use at once.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace intaglio {

// Entry: with a default constructor. What the handler reads of it are atomics, or memory that does
// not change while one of them says that the entry is in use.
template <typename Entry>
class SignalList {
 public:
  // The one list of these entries, made by the first call. It is never destroyed: signals come
  // until the end. Not for signal handlers.
  static SignalList& all() {
    static auto* list = new SignalList;
    made_ = list;
    return *list;
  }

  // for_each() of that list, if it was made: a handler must not be the one who makes it.
  template <typename F>
  static void for_all(F&& f) noexcept {
    if (const SignalList* list = made_) list->for_each(std::forward<F>(f));
  }

  // An entry that nobody else uses. Not for signal handlers.
  Entry& take() {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Entry& entry = *idle_.back();
      idle_.pop_back();
      return entry;
    }
    Link* link = new Link;
    idle_.reserve(++count_);  // so that give_back() cannot fail
    link->next = first_.load();
    first_.store(link);
    return link->entry;
  }

  // The entry must say by now that it is out of use.
  void give_back(Entry& entry) noexcept {
    const std::lock_guard lock(mutex_);
    idle_.push_back(&entry);
  }

 private:
  // Async-signal-safe when f is; f sees entries out of use too.
  template <typename F>
  void for_each(F&& f) const noexcept {
    for (Link* link = first_.load(); link != nullptr; link = link->next) f(link->entry);
  }

  struct Link {
    Entry entry;
    Link* next = nullptr;
  };
  inline static std::atomic<SignalList*> made_{nullptr};
  std::atomic<Link*> first_{nullptr};
  std::mutex mutex_;
  std::vector<Entry*> idle_;
  std::size_t count_ = 0;
};

}  // namespace intaglio
