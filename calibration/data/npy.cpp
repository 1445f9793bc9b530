#include "calibration/data/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "calibration/data/zip.h"

namespace intaglio {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

constexpr std::pair<std::string_view, DType> type_names[] = {
    {"b1", DType::boolean}, {"i1", DType::s8},  {"i2", DType::s16}, {"i4", DType::s32},
    {"i8", DType::s64},     {"u1", DType::u8},  {"u2", DType::u16}, {"u4", DType::u32},
    {"u8", DType::u64},     {"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64}};

Error damaged(std::string_view what) {
  return Error(Code::data, fmt::format("not a .npy array, or a damaged one: {}", what),
               "Write the array again with numpy.save.");
}

bool printable(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

struct Header {
  DType type = DType::undefined;
  bool big_endian = false, fortran = false;
  Shape shape;
};

// The text after "'key':" in the dictionary.
std::string_view entry(std::string_view text, std::string_view key) {
  const auto at = text.find(fmt::format("'{}'", key));
  if (at == std::string_view::npos) throw damaged(fmt::format("its header has no '{}'", key));
  text.remove_prefix(at + key.size() + 2);
  const auto start = text.find_first_not_of(" :");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

Shape parse_shape(std::string_view text) {
  const auto close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos)
    throw damaged("its shape is not a tuple");
  Shape shape;
  const char *at = text.data() + 1, *end = text.data() + close;
  while (at != end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::int64_t length = 0;
    const auto [stop, error] = std::from_chars(at, end, length);
    if (error != std::errc() || length < 0) throw damaged("its shape is not a tuple of lengths");
    shape.push_back(length);
    at = stop;
  }
  return shape;
}

Header parse_header(std::string_view text) {
  Header header;
  const std::string_view type = entry(text, "descr");
  const auto close = type.find('\'', 1);
  const std::string_view word = type.substr(0, close == std::string_view::npos ? 0 : close + 1);
  for (const auto& [name, dtype] : type_names)
    if (word.size() == 5 && word[0] == '\'' && word.substr(2, 2) == name) header.type = dtype;
  if (header.type == DType::undefined)
    throw Error(
        Code::data,
        fmt::format("elements of type {} are not supported", printable(word) ? word : "unknown"),
        "Convert the array, for example with astype('float32').");
  header.big_endian = word[1] == '>';
  header.fortran = entry(text, "fortran_order").starts_with("True");
  header.shape = parse_shape(entry(text, "shape"));
  return header;
}

void swap_bytes(Tensor& tensor) {
  const std::size_t width = bits_of(tensor.dtype()) / 8, bytes = tensor.bytes();
  std::byte* data = tensor.raw_mutate();
  for (std::size_t at = 0; at < bytes; at += width) std::reverse(data + at, data + at + width);
}

// A tensor whose bytes are in Fortran order, in C order.
Tensor transposed(const Tensor& tensor) {
  const std::size_t width = bits_of(tensor.dtype()) / 8;
  const Shape& shape = tensor.shape();
  Tensor result(tensor.dtype(), shape);
  std::byte* out = result.raw_mutate();
  Shape index(shape.size(), 0);
  for (std::int64_t i = 0; i < tensor.size(); ++i, out += width) {
    std::int64_t from = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) from = from * shape[axis] + index[axis];
    std::memcpy(out, tensor.raw() + static_cast<std::size_t>(from) * width, width);
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];)
      index[axis] = 0;
  }
  return result;
}

// A view of the bytes, or a copy when they are not aligned for the element type.
Tensor tensor_over(const MappedBytes& bytes, std::size_t offset, const Header& header) {
  const std::shared_ptr<const std::byte> data(bytes.data, bytes.data.get() + offset);
  const std::size_t width = bits_of(header.type) / 8;
  if (reinterpret_cast<std::uintptr_t>(data.get()) % width == 0)
    return Tensor::view(header.type, header.shape, data);
  Tensor copy(header.type, header.shape);
  std::memcpy(copy.raw_mutate(), data.get(), copy.bytes());
  return copy;
}

std::optional<std::string_view> type_name(DType type) {
  for (const auto& [name, dtype] : type_names)
    if (dtype == type) return name;
  return std::nullopt;
}

}  // namespace

Tensor parse_npy(const MappedBytes& bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data.get()), bytes.size);
  if (!text.starts_with(magic)) throw damaged("it does not begin like one");
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? std::size_t{static_cast<unsigned char>(text[i])} : 0;
  };
  const std::size_t version = byte(6), start = version == 1 ? 10 : 12;
  if (version < 1 || version > 3) throw damaged(fmt::format("its version is {}", version));
  const std::size_t length = version == 1
                                 ? byte(8) | byte(9) << 8
                                 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (text.size() < start || length > text.size() - start) throw damaged("it is truncated");
  const Header header = parse_header(text.substr(start, length));
  const std::size_t offset = start + length;
  const std::size_t room = (text.size() - offset) / (bits_of(header.type) / 8);
  if (static_cast<std::uint64_t>(element_count(header.shape)) > room)
    throw damaged(fmt::format("its shape {} needs more elements than the {} it has",
                              to_string(header.shape), room));
  Tensor tensor = tensor_over(bytes, offset, header);
  if (header.type == DType::boolean && std::any_of(tensor.raw(), tensor.raw() + tensor.bytes(),
                                                   [](std::byte b) { return b > std::byte{1}; }))
    throw damaged("a bool is neither 0 nor 1");
  if (header.big_endian) swap_bytes(tensor);
  return header.fortran && header.shape.size() > 1 ? transposed(tensor) : tensor;
}

Tensor load_npy(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  try {
    return parse_npy(bytes);
  } catch (const Error& e) {
    throw Error(Code::data, fmt::format("{}: {}", path.string(), e.what()), e.remedy());
  }
}

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  std::map<std::string, Tensor> arrays;
  try {
    for (const ZipMember& member : read_zip(bytes)) {
      if (!member.name.ends_with(".npy")) continue;
      const std::string name = member.name.substr(0, member.name.size() - 4);
      try {
        arrays.emplace(name, parse_npy(member.bytes));
      } catch (const Error& e) {
        throw e.within(fmt::format("array '{}'", name));
      }
    }
  } catch (const Error& e) {
    throw Error(Code::data, fmt::format("{}: {}", path.string(), e.what()), e.remedy());
  }
  return arrays;
}

std::string to_npy(const Tensor& tensor) {
  if (tensor.dtype() == DType::bf16 || is_small_float(tensor.dtype()))
    return to_npy(convert(tensor, DType::f32));
  if (tensor.dtype() == DType::u4 || tensor.dtype() == DType::u2)
    return to_npy(convert(tensor, DType::u8));
  if (tensor.dtype() == DType::s4 || tensor.dtype() == DType::s2)
    return to_npy(convert(tensor, DType::s8));
  const Tensor rows = to_row_major(tensor);
  const bool single_byte = bits_of(tensor.dtype()) == 8;
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   single_byte ? '|' : '<', type_name(tensor.dtype()).value(),
                                   fmt::join(tensor.shape(), ", "), tensor.rank() == 1 ? "," : "");
  header.append(63 - (magic.size() + 4 + header.size()) % 64, ' ');  // the data starts at 64 k
  header += '\n';
  std::string text(magic);
  text += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  text += header;
  return text.append(reinterpret_cast<const char*>(rows.raw()), rows.bytes());
}

}  // namespace intaglio
