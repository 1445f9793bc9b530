#include "calibration/data/dataset.h"

#include <cmath>
#include <limits>

#include "calibration/data/checked_dataset.h"
#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/parallel.h"
#include "tests/calibration/data/make_images.h"
#include "tests/calibration/tokens/tokenizers.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

// A data set for a model with these inputs, as ONNX text: "float[N,3,4,4] x, int64 n".
class DatasetTest : public ::testing::Test {
 protected:
  const std::filesystem::path folder = fresh_folder();

  std::unique_ptr<Dataset> open(const std::string& inputs, std::vector<std::string> paths,
                                std::optional<std::size_t> limit = std::nullopt,
                                Batches batches = Batches::split) {
    const Model model =
        TextModel().model("(" + inputs + ") => (float y) { y = Constant<value_float = 1.0>() }");
    const std::vector<Value*> feeds = model.graph().feeds();
    for (std::string& path : paths)
      if (const auto equals = path.find('='); equals == std::string::npos)
        path = (folder / path).string();
      else
        path = path.substr(0, equals + 1) + (folder / path.substr(equals + 1)).string();
    return open_dataset({paths, limit, {}, batches},
                        std::vector<const Value*>(feeds.begin(), feeds.end()));
  }

  Error error(const std::string& inputs, const std::vector<std::string>& paths) {
    try {
      open(inputs, paths);
    } catch (const Error& e) {
      return e;
    }
    return Error(Code::internal, "no error");
  }

  void save_npy(const std::string& name, const Tensor& tensor) {
    write_bytes(folder / name, to_npy(tensor));
  }

  // Names from the folder on.
  std::vector<std::string> names(const Dataset& data) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < data.size(); ++i)
      all.push_back(data.name(i).substr(folder.string().size() + 1));
    return all;
  }
};

const char* const image_input = "float[N,3,4,4] x";
using Names = std::vector<std::string>;

TEST_F(DatasetTest, AFolderIsSearchedAndSorted) {
  save_png(folder / "b/2.png", pattern(9, 9));
  save_jpeg(folder / "b/1.JPG", pattern(9, 9));
  save_png(folder / "a.png", pattern(5, 5));
  save_png(folder / ".hidden.png", pattern(5, 5));
  write_bytes(folder / "labels.csv", "file,index\n");
  const auto data = open(image_input, {"."});
  EXPECT_EQ(names(*data), (Names{"a.png", "b/1.JPG", "b/2.png"}));
  EXPECT_EQ(data->load(1).size(), 1u);
  EXPECT_EQ(data->load(1)[0].shape(), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(data->preprocess()["crop"], "4x4");
  EXPECT_EQ(data->preprocess()["layout"], "NCHW");
}

TEST_F(DatasetTest, TheOrderOfAListDoesNotMatter) {
  for (const char* name : {"a", "b", "c", "d"})
    save_png(folder / "images" / (std::string(name) + ".png"), pattern(5 + name[0] % 3, 5));
  write_bytes(folder / "one.txt",
              "# a comment\nimages/a.png\nimages/b.png\r\n\nimages/c.png\nimages/d.png");
  write_bytes(folder / "two.txt",
              "images/d.png\nimages/b.png\n  images/c.png\nimages/b.png\nimages/a.png");
  const auto one = open(image_input, {"one.txt"}), two = open(image_input, {"two.txt"});
  const auto direct = open(image_input, {"images/d.png", "images"});
  EXPECT_EQ(names(*one), (Names{"images/a.png", "images/b.png", "images/c.png", "images/d.png"}));
  EXPECT_EQ(names(*two), names(*one));
  EXPECT_EQ(names(*direct), names(*one));
  EXPECT_EQ(data_sha256(*one, 1), data_sha256(*two, 2));
  EXPECT_NE(data_sha256(*one, 1), data_sha256(*open(image_input, {"images"}, 3), 1));
}

TEST_F(DatasetTest, ALimitSpreadsEvenly) {
  save_npy("x.npy", random_tensor({10, 3, 4, 4}));
  const auto limited = [&](std::size_t n) { return names(*open(image_input, {"x.npy"}, n)); };
  EXPECT_EQ(limited(1), (Names{"x.npy[5]"}));
  EXPECT_EQ(limited(3), (Names{"x.npy[1]", "x.npy[5]", "x.npy[8]"}));
  EXPECT_EQ(limited(10).size(), 10u);
  EXPECT_EQ(limited(99).size(), 10u);
  EXPECT_THROW(limited(0), Error);
}

TEST_F(DatasetTest, RanksOfArrays) {
  const Tensor batch = random_tensor({6, 3, 4, 4});
  save_npy("equal.npy", batch);
  save_npy("less.npy", random_tensor({3, 4, 4}));
  save_npy("more.npy", batch.reshaped({6, 1, 3, 4, 4}));
  save_npy("pairs.npy", batch.reshaped({3, 2, 3, 4, 4}));
  const auto equal = open(image_input, {"equal.npy"});
  ASSERT_EQ(equal->size(), 6u);
  EXPECT_EQ(equal->load(2)[0].shape(), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(equal->load(2)[0].data<float>()[5], batch.data<float>()[2 * 48 + 5]);
  EXPECT_EQ(open(image_input, {"more.npy"})->size(), 6u);
  EXPECT_TRUE(close(open(image_input, {"more.npy"})->load(4)[0], equal->load(4)[0]));
  EXPECT_EQ(open(image_input, {"less.npy"})->load(0)[0].shape(), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(open(image_input, {"pairs.npy"})->load(1)[0].shape(), (Shape{2, 3, 4, 4}));
  // A batch that the model fixes is kept; a single run takes an array as it is.
  EXPECT_EQ(open("float[3,3,4,4] x", {"equal.npy"})->load(1)[0].shape(), (Shape{3, 3, 4, 4}));
  EXPECT_EQ(open(image_input, {"equal.npy"}, {}, Batches::whole)->load(0)[0].shape(),
            batch.shape());
  EXPECT_EQ(open("float s", {"less.npy"})->size(), 1u);
}

TEST_F(DatasetTest, ArraysThatDoNotFitAreBadSamples) {
  const auto reason = [&](const std::string& inputs, const Tensor& tensor) -> std::string {
    save_npy("x.npy", tensor);
    const auto data = open(inputs, {"x.npy"});
    try {
      data->load(0);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::data);
      const std::string text = e.what();
      EXPECT_TRUE(text.starts_with(data->name(0) + ": ")) << text;
      return text.substr(data->name(0).size() + 2);
    }
    return "no error";
  };
  EXPECT_EQ(reason(image_input, random_tensor({2, 3, 5, 4})),
            "an array [2,3,5,4] does not fit input 'x' [N,3,4,4]: 5 along axis 2 of a feed, not 4");
  EXPECT_NE(reason(image_input, random_tensor({4, 4})).find("number of axes"), std::string::npos);
  EXPECT_NE(reason("float[4,3,4,4] x", random_tensor({6, 3, 4, 4})).find("multiple of 4"),
            std::string::npos);
  EXPECT_NE(reason(image_input, Tensor(DType::f32, {0, 3, 4, 4})).find("no sample"),
            std::string::npos);
  EXPECT_EQ(reason("float[N,2] x", Tensor::of<std::uint8_t>({1, 2}, {7, 255})), "no error");
  EXPECT_EQ(reason("float[N,2] x", Tensor::of<double>({1, 2}, {0.1, 1e30})), "no error");
  EXPECT_EQ(reason("float[N,2] x", Tensor::of<double>({1, 2}, {0.1, 1e300})),
            "values of type double that float cannot hold");
  EXPECT_EQ(reason("int32[N,2] x", Tensor::of<std::int64_t>({1, 2}, {5, -6})), "no error");
  EXPECT_NE(reason("int32[N,2] x", Tensor::of<std::int64_t>({1, 2}, {5, 1LL << 40})), "no error");
  EXPECT_NE(reason("int64[N,2] x", Tensor::of<float>({1, 2}, {5, 0.5})), "no error");
}

TEST_F(DatasetTest, TypesAreConverted) {
  save_npy("x.npy", Tensor::of<std::uint8_t>({2, 2}, {1, 2, 3, 255}));
  const auto data = open("float[N,2] x", {"x.npy"});
  EXPECT_TRUE(close(data->load(1)[0], Tensor::of<float>({1, 2}, {3, 255}), 0, 0));
}

TEST_F(DatasetTest, InputsAreBoundByName) {
  save_npy("a.npy", random_tensor({5, 2}));
  save_npy("b.npy", Tensor::of<std::int64_t>({5, 1}, {0, 1, 2, 3, 4}));
  save_npy("one.npy", Tensor::of<std::int64_t>({1, 1}, {7}));
  save_npy("four.npy", Tensor::of<std::int64_t>({4, 1}, {0, 1, 2, 3}));
  const std::string inputs = "float[N,2] a, int64[N,1] b";
  const auto data = open(inputs, {"b=b.npy", "a=a.npy"});
  ASSERT_EQ(data->size(), 5u);
  EXPECT_EQ(data->load(3)[0].dtype(), DType::f32);
  EXPECT_EQ(data->load(3)[1].item<std::int64_t>(), 3);
  // What has no name goes to the input that is left; a single sample is repeated.
  const auto rest = open(inputs, {"b=one.npy", "a.npy"});
  ASSERT_EQ(rest->size(), 5u);
  EXPECT_EQ(rest->load(4)[1].item<std::int64_t>(), 7);
  EXPECT_EQ(names(*rest)[4], "a.npy[4]");
  EXPECT_EQ(error(inputs, {"a=a.npy", "b=four.npy"}).code(), Code::data);
  EXPECT_EQ(error(inputs, {"a=a.npy"}).code(), Code::data);
  EXPECT_EQ(error(inputs, {"a=a.npy", "b=b.npy", "b.npy"}).code(), Code::usage);
  EXPECT_EQ(error(inputs, {"a=a.npy", "c=b.npy"}).code(), Code::usage);
  const auto both = open(inputs, {"a.npy"});
  EXPECT_THROW(both->load(0), Error);  // one array for two inputs
}

TEST_F(DatasetTest, AnNpzHoldsAnArrayPerInput) {
  // numpy.savez(a=arange(2, 'i8')): one array, of any name for a single input.
  write_bytes(folder / "s.npz", from_hex("504b03042d0000000000000021007e6afbc9ffffffffffffffff05001"
                                         "400612e6e707901001000900000000000"
                                         "00009000000000000000934e554d5059010076007b276465736372273"
                                         "a20273c6938272c2027666f727472616e"
                                         "5f6f72646572273a2046616c73652c20277368617065273a2028322c2"
                                         "92c207d20202020202020202020202020"
                                         "202020202020202020202020202020202020202020202020202020202"
                                         "020202020202020202020202020202020"
                                         "20200a00000000000000000100000000000000504b01022d032d00000"
                                         "00000000021007e6afbc9900000009000"
                                         "0000050000000000000000000000800100000000612e6e7079504b050"
                                         "6000000000100010033000000c7000000"
                                         "0000"));
  const auto data = open("float[N] whatever", {"s.npz"});
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->load(1)[0].item<float>(), 1);
  const auto two = open("int64[N] a, int64[N] b", {"s.npz"});
  try {
    two->load(0);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("s.npz: no array 'b' among: a"), std::string::npos);
  }
}

TEST_F(DatasetTest, MissingAndEmptyPlacesAreErrors) {
  EXPECT_EQ(error(image_input, {"nowhere"}).code(), Code::io);
  EXPECT_EQ(error(image_input, {}).code(), Code::data);
  std::filesystem::create_directories(folder / "empty");
  EXPECT_NE(std::string(error(image_input, {"empty"}).what()).find("it is empty"),
            std::string::npos);
  write_bytes(folder / "docs/a.md", "x");
  write_bytes(folder / "docs/b.csv", "x");
  write_bytes(folder / "docs/c.csv", "x");
  const Error docs = error(image_input, {"docs"});
  EXPECT_EQ(docs.code(), Code::data);
  EXPECT_NE(std::string(docs.what()).find("found 2 .csv, 1 .md"), std::string::npos) << docs.what();
  EXPECT_EQ(error(image_input, {"docs/a.md"}).code(), Code::data);
  write_bytes(folder / "none.txt", "# nothing\n");
  EXPECT_EQ(error(image_input, {"none.txt"}).code(), Code::data);
}

TEST_F(DatasetTest, ImagesForAModelWithoutImagesAreAnError) {
  save_png(folder / "a.png", pattern(5, 5));
  EXPECT_EQ(error("float[N,10] x", {"a.png"}).code(), Code::data);
  EXPECT_EQ(error("float[N,3,4,4] x, float[N,3,4,4] z", {"a.png"}).code(), Code::data);
}

TEST_F(DatasetTest, BadSamplesAreSkippedAndCounted) {
  for (int i = 0; i < 19; ++i)
    save_png(folder / "d" / (std::to_string(i) + ".png"), pattern(6 + i, 9));
  write_bytes(folder / "d/bad.png", "not an image");
  const auto data = open(image_input, {"d"});
  CheckedDataset checked(*data);
  parallel_for(checked.size(), 4, [&](std::size_t, std::size_t i) {
    EXPECT_EQ(checked.load(i).has_value(), !data->name(i).ends_with("bad.png"));
    checked.load(i);
  });
  EXPECT_EQ(checked.skipped(), (std::vector<SkippedFile>{{(folder / "d/bad.png").string(),
                                                          "not a JPEG, PNG or BMP image"}}));
  checked.enforce_limit();  // 1 of 20

  write_bytes(folder / "d/z.webp", "RIFF");
  write_bytes(folder / "list.txt", "d\nd/gone.png\n");
  const auto worse = open(image_input, {"list.txt"});
  ASSERT_EQ(worse->size(), 22u);
  CheckedDataset rechecked(*worse);
  for (std::size_t i = 0; i < worse->size(); ++i) rechecked.load(i);
  ASSERT_EQ(rechecked.skipped().size(), 3u);
  EXPECT_TRUE(rechecked.skipped()[1].file.ends_with("gone.png"));
  EXPECT_EQ(rechecked.skipped()[1].reason, "cannot open: No such file or directory");
  try {
    rechecked.enforce_limit();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    EXPECT_NE(std::string(e.what()).find("3 of 22 samples are bad: "), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("bad.png (not a JPEG"), std::string::npos);
  }
  EXPECT_EQ(data_sha256(*worse, 2), data_sha256(*worse, 1));  // bad files have a fingerprint too
}

TEST_F(DatasetTest, NoGoodSampleAndNotANumberAreErrors) {
  Tensor tensor = random_tensor({2, 3, 4, 4});
  tensor.mutate<float>()[7] = std::nanf("");
  save_npy("x.npy", tensor);
  const auto data = open(image_input, {"x.npy"});
  CheckedDataset checked(*data);
  EXPECT_THROW(checked.enforce_limit(), Error);  // nothing asked for yet
  EXPECT_FALSE(checked.load(0));
  EXPECT_EQ(checked.skipped()[0].reason, "it holds NaN or infinite values");
  EXPECT_THROW(checked.enforce_limit(), Error);
  EXPECT_TRUE(checked.load(1));
  EXPECT_THROW(checked.enforce_limit(), Error);  // half of them
}

// An additive attention mask.
TEST_F(DatasetTest, MinusInfinityBesideOtherInputsIsAMask) {
  const float inf = std::numeric_limits<float>::infinity();
  save_npy("a.npy", Tensor::of<float>({1, 2}, {1, 2}));
  save_npy("m.npy", Tensor::of<float>({1, 2}, {0, -inf}));
  save_npy("p.npy", Tensor::of<float>({1, 2}, {0, inf}));
  const std::string two = "float[N,2] a, float[N,2] m";
  const auto masked = open(two, {"a=a.npy", "m=m.npy"}), odd = open(two, {"a=a.npy", "m=p.npy"}),
             alone = open("float[N,2] m", {"m.npy"});
  EXPECT_TRUE(CheckedDataset(*masked).load(0));
  EXPECT_FALSE(CheckedDataset(*odd).load(0));
  EXPECT_FALSE(CheckedDataset(*alone).load(0));
}

TEST_F(DatasetTest, ReadsOnnxTestSets) {
  SKIP_WITHOUT_SHARED(test, "conformance/onnx/data/node/test_matmul_4d");
  std::filesystem::copy(test, folder / "t", std::filesystem::copy_options::recursive);
  for (const char* path : {"t", "t/test_data_set_0"}) {
    const auto data = open("float[1,2,3,4] a, float[1,2,4,3] b", {path});
    ASSERT_EQ(data->size(), 1u);
    EXPECT_EQ(data->load(0)[1].shape(), (Shape{1, 2, 4, 3}));
  }
  EXPECT_EQ(open("float[N,2,3,4] a", {"t/test_data_set_0/input_0.pb"})->size(), 1u);
}

// --- Token ids ---

const char* const decoder =
    "int64[batch,seq] input_ids, int64[batch,total] attention_mask, float[batch,2,past,4] past_key";

TEST_F(DatasetTest, IdsAloneAreEnough) {
  const Tensor ids = Tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  save_npy("ids.npy", ids);
  // numpy.savez(input_ids=[[1, 2, 3], [4, 5, 6]])
  write_bytes(
      folder / "ids.npz",
      from_hex(
          "504b030414000000000000002100a263f28ab0000000b00000000d000000696e7075745f6964732e6e707993"
          "4e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e5f6f72646572273a2046"
          "616c73652c20277368617065273a2028322c2033292c207d2020202020202020202020202020202020202020"
          "20202020202020202020202020202020202020202020202020202020202020202020202020200a0100000000"
          "0000000200000000000000030000000000000004000000000000000500000000000000060000000000000050"
          "4b0102140314000000000000002100a263f28ab0000000b00000000d00000000000000000000008001000000"
          "00696e7075745f6964732e6e7079504b050600000000010001003b000000db0000000000"));
  save_npy("mask.npy", Tensor::of<std::int64_t>({2, 3}, {1, 1, 0, 1, 1, 1}));
  for (const char* file : {"ids.npy", "ids.npz", "input_ids=ids.npy"}) {
    const auto data = open(decoder, {file});
    ASSERT_EQ(data->size(), 2u) << file;
    const auto feeds = data->load(1);
    EXPECT_EQ(feeds[0].to_vector<int>(), (std::vector<int>{4, 5, 6}));
    EXPECT_EQ(feeds[1].to_vector<int>(), (std::vector<int>{1, 1, 1}));
    EXPECT_EQ(feeds[2].shape(), (Shape{1, 2, 0, 4}));
  }
  EXPECT_EQ(open(decoder, {"ids.npy"})->tokens()["made"],
            "'attention_mask' ones, 1 empty past ('past_key' [batch,2,0,4])");
  const auto both = open(decoder, {"ids.npz", "attention_mask=mask.npy"});
  EXPECT_EQ(both->tokens()["made"], "1 empty past ('past_key' [batch,2,0,4])");
  EXPECT_EQ(both->load(0)[1].to_vector<int>(), (std::vector<int>{1, 1, 0}));
  EXPECT_TRUE(open("int64[N,T] input_ids", {"ids.npy"})->tokens().is_null());
}

TEST_F(DatasetTest, WhatNoRuleMakesHasToBeGiven) {
  save_npy("ids.npy", Tensor::of<std::int64_t>({1, 3}, {1, 2, 3}));
  const std::string inputs = "int64[N,T] input_ids, float[1,2,128,4] past";
  const Error e = error(inputs, {"input_ids=ids.npy"});
  EXPECT_EQ(e.code(), Code::data);
  EXPECT_STREQ(
      e.what(),
      "input 'past' has no data, and is not made: a past of a fixed length cannot be empty");
}

TEST_F(DatasetTest, TextBecomesSequences) {
  write_bytes(folder / "tokenizer.json", byte_level_tokenizer(byte_level()).dump());
  write_bytes(folder / "b.txt", "hello world, hello");
  write_bytes(folder / "a.txt", "abcdefghi");
  const auto open_text = [&](const std::string& inputs, std::vector<std::string> paths,
                             std::optional<std::size_t> limit = std::nullopt) {
    const Model model =
        TextModel().model("(" + inputs + ") => (float y) { y = Constant<value_float = 1.0>() }");
    const std::vector<Value*> feeds = model.graph().feeds();
    for (std::string& path : paths) path = (folder / path).string();
    DataSpec spec{paths, limit, {}, Batches::split};
    spec.text = {folder / "tokenizer.json", 2};
    return open_dataset(spec, std::vector<const Value*>(feeds.begin(), feeds.end()));
  };
  const auto data = open_text(decoder, {"b.txt"});
  ASSERT_EQ(data->size(), 2u);  // 5 tokens: hello, world, a comma, a space, hello
  EXPECT_EQ(names(*data), (Names{"b.txt[0]", "b.txt[1]"}));
  EXPECT_EQ(data->load(0)[0].to_vector<int>(), (std::vector<int>{259, 264}));
  EXPECT_EQ(data->load(1)[1].to_vector<int>(), (std::vector<int>{1, 1}));
  const Json tokens = data->tokens();
  EXPECT_EQ(tokens["left_over"], 1);
  EXPECT_EQ(tokens["kind"], "BPE");
  EXPECT_EQ(tokens["sequence_length"], 2);
  // Folders, limits and batches are those of arrays.
  EXPECT_EQ(open_text(decoder, {"a.txt", "b.txt"})->size(), 6u);
  EXPECT_EQ(names(*open_text(decoder, {"a.txt"}, 1)), (Names{"a.txt[2]"}));
  const auto pairs = open_text("int64[2,T] input_ids", {"a.txt"});
  EXPECT_EQ(pairs->load(1)[0].to_vector<int>(), (std::vector<int>{101, 102, 103, 104}));
  EXPECT_NE(data->list_sha256(), open_text(decoder, {"a.txt"})->list_sha256());
  EXPECT_THROW(open_text("float[N,3] x", {"a.txt"}), Error);
  EXPECT_THROW(open_text("int64[N,T] input_ids, float[N,8] x", {"a.txt"}), Error);
}

}  // namespace
}  // namespace intaglio
