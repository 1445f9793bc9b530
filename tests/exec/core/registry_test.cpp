// Kernels as ordered candidates.
#include "lib/exec/registry.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"

namespace intaglio {
namespace {

TEST(Registry, TwoKernelsOfOneNameAreRefused) {
  Registry registry;
  registry.add({.op = "Relu", .impl = "ref", .since = 1});
  registry.add({.op = "Relu", .impl = "ref", .since = 6});
  registry.add({.op = "Relu", .impl = "fast", .since = 6});
  registry.add({.op = "Relu", .impl = "ref", .since = 6, .domain = "elsewhere"});
  try {
    registry.add({.op = "Relu", .impl = "ref", .since = 6});
    FAIL() << "one would hide the other";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::internal);
    const std::string text = e.what();
    EXPECT_NE(text.find("the kernel 'ref' of Relu since opset 6 would hide that of "
                        "registry_test.cpp:14"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("registry_test.cpp:18: "), std::string::npos) << text;
  }
  EXPECT_EQ(registry.all().size(), 4u);
}

TEST(Registry, AllKernelsHaveNamesOfTheirOwn) { EXPECT_GT(default_registry().all().size(), 150u); }

}  // namespace
}  // namespace intaglio
