#include "lib/base/mapped_files.h"

#include <sys/mman.h>
#include <unistd.h>

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

using Ranges = SignalList<Range>;

}  // namespace

std::shared_ptr<const std::byte> own_map(void* base, std::size_t size,
                                         const std::filesystem::path& path) {
  Range& range = Ranges::all().take();
  range.path = path.string();
  range.begin = reinterpret_cast<std::uintptr_t>(base);
  range.end = reinterpret_cast<std::uintptr_t>(base) + size;
  return {static_cast<const std::byte*>(base), [size, &range](const std::byte* p) {
            range.end = 0;
            Ranges::all().give_back(range);
            ::munmap(const_cast<std::byte*>(p), size);
          }};
}

const char* mapped_file_at(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const char* found = nullptr;
  Ranges::for_all([&](const Range& range) {
    if (range.begin <= at && at < range.end) found = range.path.c_str();
  });
  return found;
}

void give_back_pages(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty() || mapped_file_at(bytes.data()) == nullptr) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size());
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace intaglio
