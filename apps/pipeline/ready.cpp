#include "apps/pipeline/ready.h"

#include "apps/pipeline/load.h"
#include "lib/rewrite/interface.h"

namespace intaglio {

LoadedModel load_ready(const std::string& path, Context& context) {
  DataFiles data_files;
  Model model = context.phase("load", [&] { return load_runnable(path, &data_files); });
  keep_data_files(context.outputs, data_files);
  SourceFile source = source_file(path, model, data_files);
  context.phase("prepare", [&] {
    restore_float_interface(model);
    prepare_to_run(model);
  });
  return {std::move(model), std::move(source)};
}

}  // namespace intaglio
