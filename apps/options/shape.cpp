#include "apps/options/shape.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/options/group.h"
#include "apps/pipeline/shapes.h"

namespace intaglio {

void add_shape_options(CLI::App& command, ShapeRequest& request) {
  begin_group(command, group::form);
  command
      .add_option("--batch", request.batch,
                  "The batch of the output, where the model leaves it open (default: open, or 1 "
                  "for a target that needs it)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  command
      .add_option_function<std::vector<std::string>>(
          "--shape",
          [&request](const std::vector<std::string>& texts) {
            for (const std::string& text : texts)
              if (auto [name, shape] = parse_shape(text);
                  !request.shapes.emplace(name, std::move(shape)).second)
                throw Error(Code::usage, fmt::format("--shape: input '{}' has two", name),
                            "Give one shape for each input.");
          },
          "The shape of an input in the output, where the model leaves lengths open")
      ->type_name("NAME=1x3x224x224");
}

}  // namespace intaglio
