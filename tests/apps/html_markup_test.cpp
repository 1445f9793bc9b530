#include "apps/report/html/markup.h"

#include <gtest/gtest.h>

#include <limits>

namespace intaglio::html {
namespace {

TEST(HtmlMarkup, EscapesWhatHtmlGivesAMeaning) {
  EXPECT_EQ(escaped("<script>alert('1')</script>"),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped("\" onload=\"x&amp;"), "&quot; onload=&quot;x&amp;amp;");
  EXPECT_EQ(escaped("/stem/größe:0"), "/stem/größe:0");
}

TEST(HtmlMarkup, BytesThatAreNoTextBecomeReplacementCharacters) {
  EXPECT_EQ(escaped("a\xff"
                    "b"),
            "a\uFFFDb");
  EXPECT_EQ(escaped(std::string("a\0b\x1b", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(escaped("\xf0\x9f"), "\uFFFD");  // cut off
}

TEST(HtmlMarkup, NumbersHaveFourSignificantDigits) {
  EXPECT_EQ(significant(0.00123456), "0.001235");
  EXPECT_EQ(significant(1.0 / 3 * 1e-9), "3.333e-10");
  EXPECT_EQ(significant(std::numeric_limits<double>::infinity()), "–");
  EXPECT_EQ(figure(Json{{"sqnr_db", 12.345}}, "sqnr_db", "{:.2f}"), "12.35");
  EXPECT_EQ(figure(Json{{"sqnr_db", nullptr}}, "sqnr_db"), "–");
  EXPECT_EQ(figure(Json{}, "sqnr_db"), "–");
  EXPECT_EQ(grouped(7), "7");
  EXPECT_EQ(grouped(1234567), "1\u202F234\u202F567");
}

TEST(HtmlMarkup, OnlyTablesWithKeysAreSortable) {
  EXPECT_NE(table("t", {{"A", "a"}}, "").find("class=\"sortable\""), std::string::npos);
  EXPECT_EQ(table("t", {{"A", ""}}, "").find("sortable"), std::string::npos);
  EXPECT_NE(table("<x>", {{"<A>", ""}}, "").find("<caption><span>&lt;x&gt;</span></caption>"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio::html
