// What quantize writes for toolchains that read float models: the float model of the result, ranges
// beside it, and networks of ncnn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/write.h"
#include "lib/ncnn/decide.h"
#include "lib/rewrite/ranges/ranges.h"

namespace intaglio {

struct HandOverOptions {
  std::string float_output, ranges;  // files to write; empty: none
  std::optional<RangesFormat> ranges_format;
  std::string ncnn_param;  // the converted network, for --format ncnn and ranges of ncnn

  bool any() const { return !float_output.empty() || !ranges.empty(); }
};

// Throws Code::usage for options that contradict each other or the form, before anything is read.
void require_consistent(const HandOverOptions& options, const QuantOptions& quant);

// The files beside the output and --ranges, and the inputs. output: of the command.
void declare_hand_over(const HandOverOptions& options, const FormOptions& form,
                       const std::string& output, Outputs& outputs);
// The network of --ncnn-param; nullopt: none was given. Throws as load_ncnn().
std::optional<NcnnNetwork> given_network(const HandOverOptions& options);

// Whether the network is that of the model given, rather than of the float model of a result: then
// refinement must add no nodes, which it has no place for.
bool is_of_given(const NcnnNetwork& network, const Prepared& prepared);

// The result as toolchains of float models see it.
struct FloatTwin {
  Model model;  // lib/rewrite/float_model.h
  std::optional<NcnnDecision> ncnn;
};
FloatTwin float_twin(const Prepared& prepared, const Plan& plan,
                     const std::optional<NcnnNetwork>& network);

// A file that was handed over, for the report.
struct HandedFile {
  std::string path, sha256;
  std::uint64_t bytes = 0;
};
struct HandedOver {
  std::optional<HandedFile> float_model;
  struct Ranges {
    HandedFile file;
    RangesFormat format = RangesFormat::ncnn;
    std::size_t values = 0;
    std::vector<std::string> missing;  // float values that have no range
  };
  std::optional<Ranges> ranges;
};

// Writes --float-output, verified as write_quantized() does, and --ranges. quantized: the result,
// whose metadata the float model has, too.
HandedOver hand_over(const HandOverOptions& options, const Prepared& prepared,
                     const Quantized& quantized, FloatTwin twin,
                     const std::optional<NcnnNetwork>& network, const SaveOptions& saving,
                     Context& context, std::vector<std::string>& warnings);

// The network as --format ncnn has it, to `path` and the .bin beside it.
// without: steps of refinement that were left out for its sake.
SavedFile save_ncnn(Outputs& outputs, const NcnnNetwork& network, const NcnnDecision& decision,
                    const Plan& plan, std::vector<std::string> without, const std::string& path,
                    std::vector<std::string>& warnings);

}  // namespace intaglio
