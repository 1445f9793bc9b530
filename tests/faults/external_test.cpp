// External data: never overwritten by an output, and behind links only where they are trusted.
#include <gtest/gtest.h>

#include "lib/io/save.h"
#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;

// The demo with its weights in m.onnx.data.
fs::path split_demo(const fs::path& folder) {
  SaveOptions options;
  options.external_above = 0;
  save_model(load_model(data("demo.onnx")), folder / "m.onnx", options);
  return folder / "m.onnx";
}

TEST(External, ItIsNeverOverwritten) {
  const fs::path folder = fresh_folder(), model = split_demo(folder);
  const std::string data = (folder / "m.onnx.data").string(), before = read_file(data);
  const std::vector<std::vector<std::string>> commands = {
      {"quantize", model, "--format", "weights", "-o", data},
      {"quantize", model, "--format", "weights", "-o", folder / "o.onnx", "--report", data},
      {"evaluate", model, "--reference", testing::data("demo.onnx"), "--data",
       testing::data("calib"), "--report", data}};
  for (const auto& command : commands) {
    const Ran ran = run_program(command);
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
    EXPECT_NE(ran.err.find("external data of the model"), std::string::npos) << ran.err;
    EXPECT_EQ(read_file(data), before);
    EXPECT_FALSE(fs::exists(folder / "o.onnx"));
  }
}

// As the caches of model hubs lie: names are links to contents elsewhere.
TEST(External, LinksOutOfTheFolderAreFollowedWhereTheyAreTrusted) {
  const fs::path folder = fresh_folder();
  fs::create_directories(folder / "blobs");
  fs::create_directories(folder / "snapshots" / "1");
  split_demo(folder / "blobs");
  for (const char* name : {"m.onnx", "m.onnx.data"})
    fs::create_symlink(fs::path("../../blobs") / name, folder / "snapshots" / "1" / name);
  const std::string model = folder / "snapshots" / "1" / "m.onnx", out = folder / "out.onnx";
  const Ran refused = run_program({"quantize", model, "--format", "weights", "-o", out});
  EXPECT_EQ(refused.exit_code, 5) << refused.err;
  EXPECT_NE(refused.err.find("Give --follow-links if the model is trusted"), std::string::npos)
      << refused.err;
  EXPECT_FALSE(fs::exists(out));
  const Ran taken =
      run_program({"--follow-links", "quantize", model, "--format", "weights", "-o", out});
  EXPECT_EQ(taken.exit_code, 0) << taken.err;
  const Ran whole =
      run_program({"quantize", data("demo.onnx"), "--format", "weights", "-o", out + ".2"});
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(load_model(out).graph().node_count(), load_model(out + ".2").graph().node_count());
}

TEST(External, AModelOfTwoFilesIsCheckedBeforeItAppears) {
  const fs::path folder = fresh_folder();
  const SaveOptions options{.external_above = 0};
  const ModelFiles files = write_model(load_model(data("demo.onnx")), folder / "m.onnx", options);
  EXPECT_FALSE(fs::exists(folder / "m.onnx"));
  const Model read = load_unplaced(files.model->written_at(), files.data->written_at());
  EXPECT_EQ(hash_of(read), hash_of(load_model(data("demo.onnx"))));
}

}  // namespace
}  // namespace intaglio
