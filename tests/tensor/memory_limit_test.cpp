// Tensors and the limit of memory.
#include <gtest/gtest.h>

#include "lib/base/memory.h"
#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

// Puts the limit back when the test ends.
class MemoryLimit : public ::testing::Test {
 protected:
  ~MemoryLimit() override { set_memory_limit(before_); }

 private:
  std::size_t before_ = memory_limit();
};

TEST_F(MemoryLimit, ATensorBeyondTheLimitIsRefusedWithItsShapeAndSize) {
  set_memory_limit(1000000);
  const Tensor fits(DType::f32, {200, 1000});
  try {
    const Tensor does_not(DType::f32, {100, 1000});
    FAIL() << "was given";
  } catch (const MemoryLimitReached& e) {
    const std::string text = e.what();
    for (const char* word : {"[100,1000]", "400.0 kB", "800.0 kB", "1.00 MB"})
      EXPECT_NE(text.find(word), std::string::npos) << "no '" << word << "' in: " << text;
    EXPECT_NE(e.remedy().find("`max-memory`"), std::string::npos);
    EXPECT_EQ(e.code(), Code::unsupported);
  }
}

TEST_F(MemoryLimit, TensorsReturnWhatTheyTook) {
  set_memory_limit(1000000);
  for (int i = 0; i < 10; ++i) EXPECT_NO_THROW(Tensor(DType::f32, {200, 1000}));
}

}  // namespace
}  // namespace intaglio
