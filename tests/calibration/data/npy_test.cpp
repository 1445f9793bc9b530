#include "calibration/data/npy.h"

#include <cstring>
#include <random>

#include "calibration/data/zip.h"
#include "tests/calibration/data/make_images.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

MappedBytes bytes_of(std::string_view text) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[text.size()]);
  std::memcpy(copy.get(), text.data(), text.size());
  return {{copy, copy.get()}, text.size()};
}

std::string npy(std::string header, std::string_view data) {
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xff) +
         static_cast<char>(header.size() >> 8) + header + std::string(data);
}

std::string reason(std::string_view text) {
  try {
    parse_npy(bytes_of(text));
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == Code::data || e.code() == Code::model) << e.what();
    return e.what();
  }
  return "no error";
}

TEST(Npy, ReadsBackWhatItWrites) {
  for (const Tensor& tensor :
       {random_tensor({2, 3, 4}), Tensor::scalar(3.5f), Tensor::of<std::int64_t>({3}, {1, -2, 3}),
        Tensor::of<std::uint8_t>({2, 2}, {0, 1, 254, 255}), Tensor::of<bool>({2}, {true, false}),
        Tensor::of<Half>({2}, {Half(1.5f), Half(-2)}), Tensor(DType::f32, {0, 4})})
    EXPECT_TRUE(close(parse_npy(bytes_of(to_npy(tensor))), tensor, 0, 0));
  EXPECT_EQ(parse_npy(bytes_of(to_npy(Tensor::of<BFloat16>({1}, {BFloat16(2)})))).dtype(),
            DType::f32);
  EXPECT_EQ(to_npy(random_tensor({5})).size() % 64, 20u);  // numpy aligns the data to 64 bytes
}

TEST(Npy, ReadsNumpysOwnHeaders) {
  const Tensor expected = Tensor::of<std::int16_t>({2, 3}, {0, 1, 2, 3, 4, 5});
  // Big-endian, in Fortran order.
  const Tensor read =
      parse_npy(bytes_of(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }",
                             {"\x00\x00\x00\x03\x00\x01\x00\x04\x00\x02\x00\x05", 12})));
  EXPECT_TRUE(close(read, expected, 0, 0));
  EXPECT_EQ(
      parse_npy(bytes_of(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "ab")))
          .to_vector<int>(),
      (std::vector<int>{'a', 'b'}));
  // Data that is not aligned for its type.
  EXPECT_EQ(parse_npy(bytes_of(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (), } ",
                                   {"\x07\x00\x00\x00", 4})))
                .item<std::int32_t>(),
            7);
}

TEST(Npy, SaysWhatIsWrong) {
  const auto with = [](std::string_view type, std::string_view shape) {
    return npy("{'descr': '" + std::string(type) +
                   "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }",
               std::string(8, '\0'));
  };
  EXPECT_EQ(reason(with("<f4", "(2,)")), "no error");
  EXPECT_NE(reason("").find("does not begin"), std::string::npos);
  EXPECT_NE(reason("\x93NUMPY\x01").find("truncated"), std::string::npos);
  EXPECT_NE(reason("\x93NUMPY\x07").find("version is 7"), std::string::npos);
  EXPECT_EQ(reason(with("|O", "(2,)")), "elements of type '|O' are not supported");
  EXPECT_EQ(reason(with("<c8", "(1,)")), "elements of type '<c8' are not supported");
  EXPECT_NE(reason(with("<f4", "(3,)")).find("needs more elements than the 2"), std::string::npos);
  EXPECT_NE(reason(with("<f4", "(-1,)")).find("tuple"), std::string::npos);
  EXPECT_NE(reason(with("<f4", "(9999999999, 9999999999)")), "no error");
  EXPECT_NE(reason(with("<f4", "(99999999999999999999999,)")), "no error");
  EXPECT_NE(reason(with("<f4", "2")), "no error");
  EXPECT_EQ(reason(npy("{}", "")), "not a .npy array, or a damaged one: its header has no 'descr'");
  EXPECT_NE(reason(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", "\x02")),
            "no error");
}

TEST(Npy, SurvivesDamage) {
  const Tensor written = random_tensor({3, 4});
  const std::string whole = to_npy(written);
  std::mt19937 engine(3);
  int read = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole.substr(0, round % 2 == 0 ? whole.size() : engine() % whole.size());
    for (int i = 0; i < round % 5 && !damaged.empty(); ++i)
      damaged[engine() % std::min<std::size_t>(damaged.size(), 80)] = static_cast<char>(engine());
    try {
      const Tensor tensor = parse_npy(bytes_of(damaged));
      EXPECT_LE(tensor.bytes(), damaged.size()) << "nothing from beyond its end";
      EXPECT_TRUE(damaged != whole || close(tensor, written, 0, 0));
      ++read;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::data) << e.what();
      EXPECT_NE(damaged, whole) << e.what();
      ++refused;
    }
  }
  EXPECT_GT(read, 300) << "the rounds without damage at least";
  EXPECT_GT(refused, 1500) << "what is truncated at least";
}

// numpy.savez_compressed(a=arange(6, 'f4').reshape(2, 3), b=zeros(100, 'u1'))
const std::string compressed = from_hex(
    "504b03042d0000000800000021004fe9002affffffffffffffff05001400612e6e707901001000980000000000"
    "000055000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498"
    "179f5f94920a12774bcc294e058a17672416a402f91a463a0ac69a3a0ab50a64032e063068b007120e4004c40d"
    "40bcc00100504b03042d00000008000000210006e20cd6ffffffffffffffff05001400622e6e707901001000e4"
    "0000000000000049000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e536aa8aea3a09e96"
    "5f54529498179f5f94920a12774bcc294e058a17672416a402f91a8606063a9a3a0ab50a64032e063a0000504b"
    "01022d032d0000000800000021004fe9002a550000009800000005000000000000000000000080010000000061"
    "2e6e7079504b01022d032d00000008000000210006e20cd649000000e400000005000000000000000000000080"
    "018c000000622e6e7079504b05060000000002000200660000000c0100000000");

// numpy.savez(a=arange(2, 'i8'))
const std::string stored = from_hex(
    "504b03042d0000000000000021007e6afbc9ffffffffffffffff05001400612e6e707901001000900000000000"
    "00009000000000000000934e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e"
    "5f6f72646572273a2046616c73652c20277368617065273a2028322c292c207d20202020202020202020202020"
    "202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20200a00000000000000000100000000000000504b01022d032d0000000000000021007e6afbc9900000009000"
    "0000050000000000000000000000800100000000612e6e7079504b0506000000000100010033000000c7000000"
    "0000");

std::string npz_reason(const std::filesystem::path& path, std::string_view bytes) {
  write_bytes(path, bytes);
  try {
    load_npz(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data) << e.what();
    EXPECT_TRUE(std::string_view(e.what()).starts_with(path.string() + ": ")) << e.what();
    return e.what();
  }
  return "no error";
}

TEST(Npz, ReadsStoredAndDeflatedArrays) {
  const auto folder = fresh_folder();
  write_bytes(folder / "c.npz", compressed);
  const auto arrays = load_npz(folder / "c.npz");
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_TRUE(close(arrays.at("a"), Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_EQ(arrays.at("b").to_vector<int>(), std::vector<int>(100, 0));
  write_bytes(folder / "s.npz", stored);
  EXPECT_EQ(load_npz(folder / "s.npz").at("a").to_vector<int>(), (std::vector<int>{0, 1}));
}

TEST(Npz, VerifiesChecksums) {
  const auto path = fresh_folder() / "x.npz";
  std::string damaged = stored;
  damaged[damaged.find("PK\x01\x02") - 8] = 2;  // the second element
  EXPECT_NE(npz_reason(path, damaged).find("checksum of 'a.npy'"), std::string::npos);
}

TEST(Npz, RefusesBombs) {
  const auto path = fresh_folder() / "bomb.npz";
  std::string bomb = compressed;
  const auto directory = bomb.find("PK\x01\x02");
  for (int i = 0; i < 4; ++i) bomb[directory + 24 + i] = '\x7f';  // 2 GB from 85 bytes
  EXPECT_NE(npz_reason(path, bomb).find("sizes disagree"), std::string::npos);
}

// Each entry of a directory may name the same bytes: reading them all would take for ever.
TEST(Npz, RefusesMembersThatOverlap) {
  const auto path = fresh_folder() / "many.npz";
  const auto directory = stored.find("PK\x01\x02"), end = stored.find("PK\x05\x06");
  const std::string entry = stored.substr(directory, end - directory);
  std::string many = stored.substr(0, directory), record = stored.substr(end);
  for (int i = 0; i < 1000; ++i) many += entry;
  record[10] = static_cast<char>(1000 & 0xff), record[11] = 1000 >> 8;
  EXPECT_NE(npz_reason(path, many + record).find("members overlap"), std::string::npos);
}

TEST(Npz, SurvivesDamage) {
  std::mt19937 engine(5);
  int read = 0, refused = 0;
  for (const std::string& whole : {compressed, stored})
    for (int round = 0; round < 1000; ++round) {
      std::string damaged =
          whole.substr(0, round % 3 == 0 ? engine() % whole.size() : whole.size());
      for (int i = 0; i < round % 4 && !damaged.empty(); ++i)
        damaged[engine() % damaged.size()] = static_cast<char>(engine());
      try {
        for (const ZipMember& member : read_zip(bytes_of(damaged)))
          EXPECT_LE(parse_npy(member.bytes).bytes(), member.bytes.size);
        ++read;
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::data) << e.what();
        EXPECT_NE(damaged, whole) << e.what();
        ++refused;
      }
    }
  EXPECT_GT(read, 300) << "the rounds without damage at least";
  EXPECT_GT(refused, 500) << "most of what is truncated at least";
}

}  // namespace
}  // namespace intaglio
