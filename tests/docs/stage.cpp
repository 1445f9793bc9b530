#include "tests/docs/stage.h"

#include <onnx/onnx_pb.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "calibration/data/npy.h"
#include "lib/base/atomic_file.h"
#include "lib/exec/executor.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/ncnn/converted.h"
#include "tests/support/language_model.h"

namespace intaglio::testing {
namespace {

using Path = std::filesystem::path;

// Two characters and the blank at each of four places.
TextModel recognizer() {
  return TextModel()
      .input("float[1,3,48,48] image")
      .output("float[1,4,3] steps")
      .constants("int64[3] lines = {1, 3, 4}, float by = {9}")
      .nodes("mean = AveragePool <kernel_shape = [24, 24], strides = [24, 24]> (image)")
      .nodes("rows = Reshape(mean, lines)")
      .nodes("places = Transpose <perm = [0, 2, 1]> (rows)")
      .nodes("turned = Mul(places, by)")
      .nodes("steps = Softmax <axis = 2> (turned)");
}

// Tokens choose rows of a table, and a product makes an embedding of each.
TextModel encoder() {
  return TextModel()
      .input("int64[1,T] input_ids")
      .output("float[1,T,4] token_embeddings")
      .constants(
          "float[4,4] table = {1, 0.2, -0.4, 2, -1, 0.5, 0.3, 0.1, 0.7, -2, 1, 0, 2, 1, -1, 0.5}")
      .constants("float[4,4] w = {1, 2, 0.1, -1, 0.3, 1, -2, 0, 0.5, -0.5, 1, 1, -1, 0, 2, 1}")
      .nodes("words = Gather(table, input_ids) token_embeddings = MatMul(words, w)");
}

void save_sentences(const Path& folder) {
  std::filesystem::create_directories(folder);
  for (std::int64_t i = 0; i < 4; ++i) {
    Tensor ids(DType::s64, {1, 3 + i});
    const auto values = ids.mutate<std::int64_t>();
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = (i + static_cast<std::int64_t>(k)) % 4;
    write_file(folder / (std::to_string(i) + ".npy"), to_npy(ids));
  }
}

void save_tensor(const Path& file, const Tensor& tensor) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t length : tensor.shape()) proto.add_dims(length);
  const auto values = tensor.data<float>();
  proto.set_raw_data(values.data(), values.size_bytes());
  std::ofstream out(file, std::ios::binary);
  proto.SerializeToOstream(&out);
}

// What the onnx project gives beside a model: an input, and what comes of it.
void save_test_set(const Path& folder) {
  std::filesystem::create_directories(folder);
  const Tensor image = random_tensor({1, 3, 48, 48});
  const Model model = load_model(source_dir() / "data" / "demo.onnx");
  save_tensor(folder / "input_0.pb", image);
  const std::vector<Tensor> feeds = {image};
  save_tensor(folder / "output_0.pb", Executor(model.graph()).run(feeds).front());
}

void save_detector(const Path& path) { save_model(square_detector("0.01").model(), path); }

// Long enough for a sequence of 512 tokens.
void save_text(const Path& path) {
  std::string text;
  for (int i = 0; i < 6; ++i) text += small_text();
  write_file(path, text);
}

// A name of the documents and what is made for it: by a line of the shell, with the demo's files in
// $DATA, or by a function of the path.
struct StandIn {
  const char* name;
  const char* line = nullptr;
  std::function<void(const Path&)> make = nullptr;
};

const std::vector<StandIn>& stand_ins() {
  const auto saves = [](TextModel (*text)()) {
    return [text](const Path& path) { save_model(text().model(), path); };
  };
  static const char* const images =
      "mkdir -p images; cp $DATA/calib/000?.jpg $DATA/calib/001?.jpg images";
  static const char* const val =
      "for d in val images/val; do mkdir -p $d; cp $DATA/eval/000?.jpg $d; "
      "head -11 $DATA/eval/labels.csv > $d/labels.csv; done";
  static const std::vector<StandIn> table = {
      {"model.onnx", "cp $DATA/demo.onnx model.onnx"},
      {"data/demo.onnx",
       "mkdir -p data; cp $DATA/demo.onnx $DATA/classes.tsv $DATA/preprocess.json data; "
       "mkdir data/calib data/eval; cp $DATA/calib/000?.jpg data/calib; "
       "cp $DATA/eval/000?.jpg $DATA/eval/001?.jpg data/eval; "
       "head -21 $DATA/eval/labels.csv > data/eval/labels.csv"},
      {"images/", images},
      {"data/", "mkdir -p data; cp $DATA/calib/000?.jpg data"},
      {"calib/", "mkdir -p calib; cp $DATA/calib/000?.jpg calib"},
      {"val/", val},
      {"images/val", val},
      {"X", "cp $DATA/calib/0000.jpg X"},
      {"cat.jpg", "cp $DATA/calib/0000.jpg cat.jpg"},
      {"classes.tsv", "cp $DATA/classes.tsv ."},
      {"classes.txt", "tail -n +2 $DATA/classes.tsv | cut -f 3 > classes.txt"},
      {"model.int8.onnx",
       "intaglio quantize $DATA/demo.onnx --data $DATA/calib --limit 8 --preprocess "
       "$DATA/preprocess.json --effort fast --eval-limit 0 -o model.int8.onnx"},
      {"old.json",
       "intaglio quantize $DATA/demo.onnx --data $DATA/calib --limit 8 --preprocess "
       "$DATA/preprocess.json --effort fast -o old.int8.onnx --report old.json"},
      {"new.json",
       "intaglio quantize $DATA/demo.onnx --data $DATA/calib --limit 8 --preprocess "
       "$DATA/preprocess.json --effort fast --method minmax -o new.int8.onnx --report new.json"},
      {"theirs.onnx", "intaglio quantize $DATA/demo.onnx --format weights -o theirs.onnx"},
      {"yolox.onnx", nullptr, save_detector},
      {"yolox.int8.onnx", nullptr, save_detector},
      {"street/", "mkdir -p street; cp $DATA/calib/000?.jpg street"},
      {"rec.onnx", nullptr, saves(recognizer)},
      {"lines/", "mkdir -p lines; cp $DATA/calib/000?.jpg lines"},
      {"keys.txt", "printf 'a\\nb\\n' > keys.txt"},
      {"minilm.onnx", nullptr, saves(encoder)},
      {"calib", nullptr, save_sentences},
      {"test_data_set_0", nullptr, save_test_set},
      {"decoder.onnx", nullptr, [](const Path& path) { save_decoder(path); }},
      {"model.ncnn.param", nullptr,
       [](const Path& path) {
         write_converted(load_model(source_dir() / "data" / "demo.onnx"), path.parent_path());
       }},
      {"tokenizer.json", nullptr,
       [](const Path& path) { write_file(path, small_tokenizer().dump()); }},
      {"calib.txt", nullptr, save_text},
      {"eval.txt", nullptr, save_text},
      {"q4.onnx", "intaglio quantize decoder.onnx --format matmulnbits -o q4.onnx",
       [](const Path& path) { save_decoder(path.parent_path() / "decoder.onnx"); }},
  };
  return table;
}

}  // namespace

Stage::Stage(std::filesystem::path folder) : folder_(std::move(folder)) {}

Ran Stage::shell(const std::string& line) const {
  const std::string path = Path(INTAGLIO_BINARY).parent_path().string() + ":" + std::getenv("PATH");
  return run_command({"env", "PATH=" + path, "DATA=" + (source_dir() / "data").string(), "bash",
                      "-euo", "pipefail", "-c", "cd " + folder_.string() + "\n" + line});
}

void Stage::provide(const std::string& name) {
  for (const StandIn& stand_in : stand_ins()) {
    if (stand_in.name != name || std::filesystem::exists(folder_ / name)) continue;
    if (stand_in.make) stand_in.make(folder_ / name);
    if (stand_in.line == nullptr) continue;
    const Ran ran = shell(stand_in.line);
    EXPECT_EQ(ran.exit_code, 0) << stand_in.line << "\n" << ran.err;
  }
}

Ran Stage::run(const std::string& command) {
  std::istringstream words(command);
  bool output = false;  // the next word is what the command writes
  for (std::string word; words >> word;
       output = word == "-o" || word == "--report" || word == "--html")
    if (!output) provide(word);
  return shell(command);
}

}  // namespace intaglio::testing
