// Nodes without their inputs: an error with a place, or left for the run to report.

#include <fmt/format.h>

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(Malformed, NoPassStumbles) {
  int prepared = 0, refused = 0;
  for (const char* op : {"Add",
                         "Mul",
                         "PRelu",
                         "Tile",
                         "Clip <min = 0.5>",
                         "Softmax",
                         "Resize",
                         "Upsample",
                         "Pad <pads = [0, 0], value = 1.0>",
                         "Gemm",
                         "Conv",
                         "BatchNormalization",
                         "Dropout",
                         "Reshape",
                         "Expand",
                         "ConstantOfShape",
                         "Transpose",
                         "Squeeze",
                         "Shape",
                         "Cast",
                         "TopK <k = 1>",
                         "Identity",
                         "Concat",
                         "Scatter",
                         "Slice <starts = [0], ends = [1]>",
                         "Add <broadcast = 1, axis = 0>",
                         "Clip <max = 0.5>"}) {
    for (const int opset : {1, 6, 9, 12, 13}) {
      for (const char* inputs : {"()", "(x)"}) {
        const TextModel text = TextModel()
                                   .opset(opset)
                                   .input("float[1,2] x")
                                   .output("float y")
                                   .nodes(fmt::format("y = {} {}", op, inputs));
        try {
          Model model = text.model();
          prepare(model);
          model.graph().verify();
          EXPECT_NE(model.graph().find("y"), nullptr) << text.text();
          ++prepared;
        } catch (const Error& e) {
          EXPECT_TRUE(e.code() == Code::model || e.code() == Code::unsupported)
              << text.text() << ": " << e.what();
          EXPECT_NE(std::string(e.what()).find("'y'"), std::string::npos)
              << text.text() << ": " << e.what();
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(prepared, refused);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace intaglio::testing
