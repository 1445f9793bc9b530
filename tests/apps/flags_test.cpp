#include "apps/report/flags.h"

#include <gtest/gtest.h>

#include "apps/report/report.h"

namespace intaglio {
namespace {

TEST(Flags, ASettingBecomesTheFlagWithWhatIsGivenToIt) {
  EXPECT_EQ(with_flags("Give `labels FILE.csv`."), "Give --labels FILE.csv.");
  EXPECT_EQ(with_flags("`metric topk` needs labels"), "--metric topk needs labels");
  EXPECT_EQ(with_flags("Check `data` and `preprocess`."), "Check --data and --preprocess.");
  EXPECT_EQ(with_flags("Give `data` x=PATH."), "Give --data x=PATH.");
  EXPECT_EQ(with_flags("excluded by `exclude-op` Add"), "excluded by --exclude-op Add");
  EXPECT_EQ(with_flags("`format qoperator` `contrib`"), "--format qoperator --contrib");
}

TEST(Flags, OtherTextsStayAsTheyAre) {
  for (const char* text : {"", "no setting", "--labels FILE.csv", "`", "``", "` `", "`labels",
                           "`label`", "`labels,x`", "`Labels`", "` labels`", "`labelsx y`"})
    EXPECT_EQ(with_flags(text), text);
}

TEST(Flags, BackquotesOfNamesDoNotHideASetting) {
  EXPECT_EQ(with_flags("node 'a`b': use `activations u8`"), "node 'a`b': use --activations u8");
  EXPECT_EQ(with_flags("'`x` y`': `crop`"), "'`x` y`': --crop");
  EXPECT_EQ(with_flags("``crop``"), "`--crop`");
}

TEST(Flags, OfADocumentTheSentencesAreReworded) {
  const Json document = {
      {"warnings", {"Give `labels FILE.csv`.", "none"}},
      {"check", {{"problems", {{{"reason", "a `b`"}, {"remedy", "use `weights s8`"}}}}}}};
  const Json expected = {
      {"warnings", {"Give --labels FILE.csv.", "none"}},
      {"check", {{"problems", {{{"reason", "a `b`"}, {"remedy", "use --weights s8"}}}}}}};
  EXPECT_EQ(sentences_with_flags(document), expected);
  EXPECT_EQ(to_text(document), to_text(expected));
  EXPECT_NE(to_text(document).find("--labels"), std::string::npos);
}

TEST(Flags, NamesInADocumentStay) {
  const Json document = {
      {"nodes", {{{"name", "`labels`"}, {"output", "`data x`"}, {"left_out", 3}}}},
      {"tied", {"`crop`"}},
      {"metadata", {{"reason", "`crop`"}}}};
  EXPECT_EQ(sentences_with_flags(document), document);
}

}  // namespace
}  // namespace intaglio
