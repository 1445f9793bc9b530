#include "lib/ncnn/network.h"

#include <fmt/format.h>

#include "lib/base/error.h"

namespace intaglio {

std::filesystem::path ncnn_bin_of(const std::filesystem::path& param) {
  if (param.extension() != ".param")
    throw Error(
        Code::usage,
        fmt::format("{}: an ncnn network has two files, NAME.param and NAME.bin", param.string()),
        "Name the one that ends in .param; the other is beside it.");
  return std::filesystem::path(param).replace_extension(".bin");
}

NcnnNetwork load_ncnn(const std::filesystem::path& param) {
  NcnnNetwork network;
  network.param = param.string();
  network.bin = ncnn_bin_of(param).string();
  network.graph = parse_ncnn_param(read_file(param), network.param);
  network.data = map_file(network.bin);
  const std::string_view bytes(reinterpret_cast<const char*>(network.data.data.get()),
                               network.data.size);
  network.arrays = ncnn_arrays(network.graph, bytes, network.bin);
  return network;
}

}  // namespace intaglio
