#include "calibration/data/zip.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "calibration/data/image.h"
#include "lib/base/error.h"

namespace intaglio {
namespace {

constexpr std::uint64_t smallest_end_record = 22, local_header = 30, directory_entry = 46;
constexpr std::uint64_t stored = 0, deflated = 8;

Error damaged(std::string_view what) {
  return Error(Code::data, fmt::format("not a zip archive, or a damaged one: {}", what),
               "Write the file again with numpy.savez.");
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320u : c >> 1;
      made[i] = c;
    }
    return made;
  }();
  std::uint32_t crc = ~0u;
  for (const std::byte b : bytes)
    crc = table[(crc ^ static_cast<std::uint32_t>(b)) & 0xff] ^ crc >> 8;
  return ~crc;
}

// Little-endian fields with checked positions.
class Archive {
 public:
  explicit Archive(const MappedBytes& bytes) : bytes_(bytes) {}

  std::uint64_t size() const { return bytes_.size; }

  std::uint64_t field(std::uint64_t at, int width) const {
    if (at > size() || static_cast<std::uint64_t>(width) > size() - at)
      throw damaged("it is truncated");
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i)
      value |= static_cast<std::uint64_t>(bytes_.data.get()[at + static_cast<std::uint64_t>(i)])
               << 8 * i;
    return value;
  }

  std::span<const std::byte> part(std::uint64_t at, std::uint64_t length) const {
    if (at > size() || length > size() - at) throw damaged("it is truncated");
    return {bytes_.data.get() + at, length};
  }

  // The end record, from the back: a comment may follow it.
  std::uint64_t find_end_record() const {
    for (std::uint64_t back = smallest_end_record;
         back <= size() && back < 0x10000 + smallest_end_record; ++back)
      if (field(size() - back, 4) == 0x06054b50) return size() - back;
    throw damaged("it has no directory");
  }

  // What reading the archive may still cost.
  struct Budget {
    std::uint64_t packed;                   // bytes to read: members do not overlap
    std::uint64_t inflated = max_inflated;  // bytes to make
  };

  ZipMember member(std::uint64_t entry, Budget& budget) const {
    const std::uint64_t flags = field(entry + 8, 2), method = field(entry + 10, 2);
    const std::uint64_t packed = field(entry + 20, 4), plain = field(entry + 24, 4);
    const std::uint64_t offset = field(entry + 42, 4);
    const auto name = part(entry + directory_entry, field(entry + 28, 2));
    ZipMember result{{reinterpret_cast<const char*>(name.data()), name.size()}, {}};
    if ((flags & 1) != 0) throw damaged("it is encrypted");
    if (packed == 0xffffffff || plain == 0xffffffff || offset == 0xffffffff)
      throw Error(Code::data, "archives of 4 GB and more are not read", "Save each array as .npy.");
    const std::uint64_t start =
        offset + local_header + field(offset + 26, 2) + field(offset + 28, 2);
    if (packed > budget.packed) throw damaged("its members overlap");
    budget.packed -= packed;
    result.bytes = unpacked(part(start, packed), method, plain, budget.inflated);
    if (crc32({result.bytes.data.get(), result.bytes.size}) != field(entry + 16, 4))
      throw damaged(fmt::format("the checksum of '{}' is wrong", result.name));
    return result;
  }

 private:
  MappedBytes unpacked(std::span<const std::byte> in, std::uint64_t method, std::uint64_t plain,
                       std::uint64_t& budget) const {
    if (method == stored) {
      if (plain != in.size()) throw damaged("sizes disagree");
      return {{bytes_.data, in.data()}, in.size()};
    }
    if (method != deflated)
      throw damaged(fmt::format("compression method {} is not deflate", method));
    if (plain / 1032 > in.size()) throw damaged("sizes disagree");  // deflate cannot shrink more
    if (plain > budget)
      throw Error(Code::data, fmt::format("inflates to more than {} MB", max_inflated >> 20),
                  "Save it without compression (numpy.savez).");
    budget -= plain;
    const std::shared_ptr<std::byte[]> out(new std::byte[plain]);
    if (!inflate(in, {out.get(), plain})) throw damaged("a member does not inflate");
    return {{out, out.get()}, plain};
  }

  const MappedBytes& bytes_;
};

}  // namespace

std::vector<ZipMember> read_zip(const MappedBytes& bytes) {
  const Archive archive(bytes);
  const std::uint64_t end = archive.find_end_record();
  const std::uint64_t count = archive.field(end + 10, 2);
  std::uint64_t entry = archive.field(end + 16, 4);
  Archive::Budget budget{.packed = archive.size()};
  if (count == 0xffff || entry == 0xffffffff)
    throw Error(Code::data, "archives of 4 GB and more are not read", "Save each array as .npy.");
  std::vector<ZipMember> members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (archive.field(entry, 4) != 0x02014b50) throw damaged("its directory is broken");
    members.push_back(archive.member(entry, budget));
    entry += directory_entry + archive.field(entry + 28, 2) + archive.field(entry + 30, 2) +
             archive.field(entry + 32, 2);
  }
  return members;
}

}  // namespace intaglio
