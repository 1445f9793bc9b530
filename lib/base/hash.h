// SHA-256 (FIPS 180-4), to name models, data sets and recipes by their content.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace intaglio {

class Sha256 {
 public:
  Sha256();
  Sha256& add(std::span<const std::byte> bytes);
  Sha256& add(std::string_view text);
  std::string hex();  // 64 lower-case digits; ends the computation

 private:
  void block(const std::uint8_t* bytes);
  void block_plain(const std::uint8_t* bytes);
  friend class Sha256Twins;  // the test that compares both

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;
};

std::string sha256(std::string_view text);
std::string sha256_of_file(const std::filesystem::path& path);  // throws Code::io

}  // namespace intaglio
