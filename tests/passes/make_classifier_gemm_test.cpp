#include "lib/exec/infer.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

const PrepareOptions wanted = {.classifier_gemm = true};

Model classifier(const std::string& conv, const std::string& flatten,
                 const std::string& input = "float[N,2,1,1] x",
                 const std::string& output = "float[N,3] y") {
  return TextModel()
      .input(input)
      .output(output)
      .constants("float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}, float[3] b = {1, -1, 0.5}")
      .constants("int64[2] s = {0, -1}, int64[2] a = {2, 3}")
      .nodes("c = " + conv)
      .nodes(flatten)
      .typed();
}

TEST(ClassifierGemm, ComputesTheSame) {
  const std::vector<Tensor> x = {random_tensor({4, 2, 1, 1})};
  for (const char* conv : {"Conv(x, w, b)", "Conv(x, w)", "Conv <strides = [2, 2]> (x, w, b)"})
    for (const char* flatten : {"y = Flatten(c)", "y = Reshape(c, s)", "y = Squeeze(c, a)",
                                "f = Flatten(c) y = Softmax(f)"}) {
      Model model = classifier(conv, flatten);
      const auto before = Executor(model.graph()).run(x);
      EXPECT_EQ(run_pass("classifier_gemm", model, wanted), 1) << conv << flatten;
      EXPECT_EQ(run_pass("classifier_gemm", model, wanted), 0);
      EXPECT_TRUE(ops_of(model.graph()).starts_with("Flatten Gemm")) << ops_of(model.graph());
      EXPECT_TRUE(close(Executor(model.graph()).run(x).front(), before.front(), 1e-6));
    }
}

TEST(ClassifierGemm, OnlyWhereItIsAskedFor) {
  Model model = classifier("Conv(x, w, b)", "y = Flatten(c)");
  EXPECT_EQ(run_pass("classifier_gemm", model), 0);
}

TEST(ClassifierGemm, KeepsWhatIsNoClassifier) {
  const auto rewrites = [](Model model) { return run_pass("classifier_gemm", model, wanted); };
  EXPECT_EQ(rewrites(classifier("Conv(x, w, b)", "y = Flatten(c)", "float[N,2,2,2] x")), 0)
      << "more than one pixel";
  EXPECT_EQ(rewrites(classifier("Conv(x, w, b)", "y = Flatten(c)", "float[N,2,H,W] x")), 0)
      << "pixels that are not known";
  EXPECT_EQ(rewrites(classifier("Conv <pads = [1, 1, 1, 1]> (x, w, b)", "y = Flatten(c)")), 0)
      << "padding makes more pixels";
  EXPECT_EQ(rewrites(classifier("Conv(x, w, b)", "y = Flatten(c)", "float[N,2,1,1] x",
                                "float[N,3] y, float[N,3,1,1] c")),
            0)
      << "its result is read as it is";
  EXPECT_EQ(rewrites(classifier("Conv(x, w, b)", "f = Flatten(c) r = Relu(f) y = Add(r, r)")), 0)
      << "its result is no score";
}

}  // namespace
}  // namespace intaglio::testing
