#include "apps/pipeline/masks.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

// Samples in memory, all inputs alike.
class Fixed final : public Dataset {
 public:
  explicit Fixed(std::vector<std::vector<Tensor>> samples) : samples_(std::move(samples)) {}
  std::size_t size() const override { return samples_.size(); }
  std::string name(std::size_t i) const override { return std::to_string(i); }
  std::vector<Tensor> load(std::size_t i) const override { return samples_.at(i); }
  std::string fingerprint(std::size_t) const override { return {}; }
  std::string list_sha256() const override { return {}; }
  Json preprocess() const override { return nullptr; }

 private:
  std::vector<std::vector<Tensor>> samples_;
};

std::vector<std::string> warned(const TextModel& text, std::vector<std::int64_t> mask) {
  const Model model = text.model();
  std::vector<std::vector<Tensor>> samples;
  for (const std::int64_t m : mask)
    samples.push_back(
        {testing::random_tensor({1, 4}), Tensor::of<std::int64_t>({1, 4}, {1, 1, 1, m})});
  const Fixed data(std::move(samples));
  CheckedDataset checked(data);
  std::vector<std::string> warnings;
  warn_of_unmoved_masks(model.graph(), checked, warnings);
  return warnings;
}

constexpr const char* attention = R"(
  (float[1,4] x, int64[1,4] which) => (float[1,4] y) <float one = {1}, float far = {-10000}> {
    real = Cast <to = 1> (which)
    missing = Sub(one, real)
    bias = Mul(missing, far)
    scores = Add(x, bias)
    y = Softmax(scores)
  })";

TEST(Masks, AreKnownByTheirReaders) {
  const auto warnings = warned(TextModel(attention), {1, 1, 1});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings.front().find("input 'which' was 1 in every sample: give padded ones too"), 0u)
      << warnings.front();
  EXPECT_TRUE(warned(TextModel(attention), {1, 0, 1}).empty()) << "one is padded";
}

TEST(Masks, AreKnownByTheirNames) {
  EXPECT_EQ(warned(TextModel(R"((float[1,4] x, int64[1,4] attention_mask) => (float[1,4] y) {
              real = Cast <to = 1> (attention_mask)
              y = Mul(x, real)
            })"),
                   {1, 1})
                .size(),
            1u);
  EXPECT_TRUE(warned(TextModel(R"((float[1,4] x, int64[1,4] types) => (float[1,4] y) {
                real = Cast <to = 1> (types)
                y = Mul(x, real)
              })"),
                     {1, 1})
                  .empty())
      << "neither";
}

}  // namespace
}  // namespace intaglio
