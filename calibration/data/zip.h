// Reading zip archives (PKWARE's APPNOTE.TXT), as far as numpy writes them: members that are stored
// or deflated, the archive below 4 GB, no encryption.
#pragma once

#include <string>
#include <vector>

#include "lib/base/file.h"

namespace intaglio {

struct ZipMember {
  std::string name;
  MappedBytes bytes;  // a view of the archive when stored, memory of its own when deflated
};

// What all members of an archive may inflate to; a hostile archive ends there.
constexpr std::uint64_t max_inflated = std::uint64_t{1} << 30;

// All members in the order of the directory. Throws Code::data, with the reason alone, for an
// archive that is damaged (checksums are verified, members do not overlap) or of another kind.
// So no byte is read more than once.
std::vector<ZipMember> read_zip(const MappedBytes& archive);

}  // namespace intaglio
