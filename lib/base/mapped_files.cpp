#include "lib/base/mapped_files.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "lib/base/signal_list.h"

namespace intaglio {
namespace {

struct Range {
  std::atomic<std::uintptr_t> begin{0}, end{0};  // end 0: out of use
  std::string path;
};

// Never destroyed: maps may outlive static objects, and signals come at any time.
SignalList<Range>& ranges() {
  static auto* list = new SignalList<Range>;
  return *list;
}

// Set once there is a list: a handler must not be the one who makes it.
std::atomic<SignalList<Range>*> known{nullptr};

}  // namespace

std::shared_ptr<const std::byte> own_map(void* base, std::size_t size,
                                         const std::filesystem::path& path) {
  SignalList<Range>& list = ranges();
  Range& range = list.take();
  range.path = path.string();
  range.begin = reinterpret_cast<std::uintptr_t>(base);
  range.end = reinterpret_cast<std::uintptr_t>(base) + size;
  known = &list;
  return {static_cast<const std::byte*>(base), [size, &list, &range](const std::byte* p) {
            range.end = 0;
            list.give_back(range);
            ::munmap(const_cast<std::byte*>(p), size);
          }};
}

const char* mapped_file_at(const void* address) noexcept {
  const SignalList<Range>* list = known;
  if (list == nullptr) return nullptr;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const char* found = nullptr;
  list->for_each([&](const Range& range) {
    if (range.begin <= at && at < range.end) found = range.path.c_str();
  });
  return found;
}

}  // namespace intaglio
