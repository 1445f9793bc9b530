#include "lib/base/spill_file.h"

#include <array>

#include "lib/base/file.h"

namespace intaglio {

SpillFile::SpillFile(const std::filesystem::path& path)
    : file_(std::make_unique<AtomicFile>(path)) {}

std::shared_ptr<const std::byte> SpillFile::keep(std::span<const std::byte> bytes) {
  align_for_maps(*file_);
  const std::uint64_t offset = file_->size();
  file_->write(bytes);
  auto kept = map_file(file_->written_at(), offset, static_cast<std::int64_t>(bytes.size())).data;
  offsets_[kept.get()] = offset;
  return kept;
}

std::optional<std::uint64_t> SpillFile::offset_of(const std::byte* bytes) const {
  const auto it = offsets_.find(bytes);
  return it == offsets_.end() ? std::nullopt : std::optional(it->second);
}

void align_for_maps(AtomicFile& file) {
  constexpr std::uint64_t alignment = 4096;
  static constexpr std::array<std::byte, alignment> zeros{};
  file.write(std::span(zeros).first((alignment - file.size() % alignment) % alignment));
}

}  // namespace intaglio
