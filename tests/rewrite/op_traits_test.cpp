// What operators mean for quantization stands in one table: it agrees with the kernels, with the
// targets, and with what writers and passes know.
#include "lib/graph/op_traits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "lib/exec/registry.h"
#include "lib/quant/target.h"
#include "lib/rewrite/expand.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

std::vector<Target> all_targets() {
  std::vector<Target> targets;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() / "configs"))
    if (entry.path().extension() == ".json") targets.push_back(read_target(entry.path()));
  EXPECT_GE(targets.size(), 10u);
  return targets;
}

// What a role says of an operator beyond its name; empty: the traits say so too.
std::string contradiction(const OpTraits& traits, Role role) {
  const bool products = traits.weights == WeightKind::product;
  const bool scales = traits.channels != ChannelChange::none;
  switch (role) {
    case Role::compute:
      return products ? "" : "multiplies no weights";
    case Role::weights:
      return traits.weights == WeightKind::gates ? "" : "has no weights beside its arithmetic";
    case Role::join:
      return traits.joins ? "" : "joins nothing";
    case Role::share:  // an average of codes is a code of the same scale
      return traits.moves || (traits.pools && scales) ? "" : "makes values of another scale";
    case Role::activation:
    case Role::elementwise:
      return products || traits.moves || traits.joins ? "is no arithmetic on values" : "";
  }
  return "has no role";
}

TEST(OpTraits, EveryRowHasAKernelAndSoHasItsTwin) {
  const Registry& registry = default_registry();
  for (const OpTraits& traits : all_op_traits()) {
    EXPECT_TRUE(registry.knows(traits.op)) << traits.op;
    if (traits.twin.op.empty()) continue;
    EXPECT_TRUE(registry.knows(traits.twin.op, traits.twin.domain)) << traits.twin.op;
  }
}

TEST(OpTraits, RowsAreFoundByName) {
  std::set<std::string_view> ops, twins;
  for (const OpTraits& traits : all_op_traits()) {
    EXPECT_EQ(find_traits(traits.op), &traits);
    EXPECT_TRUE(ops.insert(traits.op).second) << traits.op << " stands there twice";
    if (!traits.twin.op.empty()) {
      EXPECT_TRUE(twins.insert(traits.twin.op).second) << traits.op;
    }
  }
  EXPECT_EQ(find_traits("Nonsense"), nullptr);
}

TEST(OpTraits, EveryOperatorOfATargetHasARowThatAgreesWithItsRole) {
  for (const Target& target : all_targets())
    for (const auto& [op, rule] : target.ops) {
      const OpTraits* traits = find_traits(op);
      ASSERT_NE(traits, nullptr) << target.name << " quantizes " << op << ", which has no traits";
      EXPECT_EQ(contradiction(*traits, rule.role), "") << target.name << ": " << op;
    }
}

TEST(OpTraits, ActivationsOfTargetsAreFusedIntoKnownOperators) {
  for (const Target& target : all_targets())
    for (const auto& [op, rule] : target.ops)
      for (const auto* producers : {&rule.fuses_into, &rule.float_into})
        for (const std::string& producer : *producers)
          EXPECT_TRUE(target.ops.contains(producer))
              << target.name << ": " << op << " is fused into " << producer;
}

// A writer of pairs can take every twin apart, and nothing else.
TEST(OpTraits, TwinsAreThoseThatExpand) {
  std::set<std::string_view> twins;
  for (const OpTraits& traits : all_op_traits())
    if (!traits.twin.op.empty()) twins.insert(traits.twin.op);
  const auto expandable = expandable_operators();
  EXPECT_EQ(std::set<std::string_view>(expandable.begin(), expandable.end()), twins);
}

// Whatever is computed on codes, but for what only moves or compares them, becomes its twin.
TEST(OpTraits, RulesForCodesHaveTwins) {
  for (const OpTraits& traits : all_op_traits()) {
    const bool as_it_is = traits.qdq == QdqRule::mover || traits.qdq == QdqRule::split ||
                          traits.qdq == QdqRule::argmax;
    EXPECT_EQ(!traits.twin.op.empty(), traits.qdq != QdqRule::none && !as_it_is) << traits.op;
    if (as_it_is && traits.qdq != QdqRule::argmax) {
      EXPECT_TRUE(traits.moves || traits.picks) << traits.op;
    }
    if (traits.pairs_move) {
      EXPECT_EQ(traits.qdq, QdqRule::mover) << traits.op;
    }
  }
}

TEST(OpTraits, ColumnsOfARowAgree) {
  for (const OpTraits& traits : all_op_traits()) {
    EXPECT_EQ(traits.weights == WeightKind::product, traits.channel_axis >= 0) << traits.op;
    if (traits.makes_values != nullptr) {
      EXPECT_TRUE(traits.moves) << traits.op;
    }
    if (traits.clips) {
      EXPECT_TRUE(traits.active != nullptr && traits.result != nullptr) << traits.op;
    }
    EXPECT_FALSE(traits.moves && traits.joins) << traits.op;
  }
}

}  // namespace
}  // namespace intaglio
