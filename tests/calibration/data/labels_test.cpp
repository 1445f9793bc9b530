#include "calibration/data/labels.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "tests/calibration/data/make_images.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

std::string reason(const std::filesystem::path& path, std::string_view text) {
  write_bytes(path, text);
  try {
    Labels::read(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    return std::string(e.what()).substr(path.string().size());
  }
  return "no error";
}

TEST(Labels, FindsFilesByTheirPathFromTheCsv) {
  const auto folder = fresh_folder();
  write_bytes(folder / "labels.csv",
              "\xef\xbb\xbfname,index,file\r\n\"a, \"\"b\"\"\",3,a.jpg\r\n,7,\"sub/b, c.jpg\"\n\n"
              "x,9,batch.npy[2]\nx,1,./c.jpg\n");
  const Labels labels = Labels::read(folder / "labels.csv");
  EXPECT_EQ(labels.size(), 4u);
  EXPECT_EQ(labels.of((folder / "a.jpg").string()), 3);
  EXPECT_EQ(labels.of((folder / "sub/../sub/b, c.jpg").string()), 7);
  EXPECT_EQ(labels.of((folder / "batch.npy[2]").string()), 9);
  EXPECT_EQ(labels.of((folder / "c.jpg").string()), 1);
  EXPECT_EQ(labels.find((folder / "sub/a.jpg").string()), std::nullopt);
  try {
    labels.of((folder / "d.jpg").string());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    EXPECT_NE(std::string(e.what()).find("d.jpg: has no label in"), std::string::npos);
  }
}

TEST(Labels, FindsFilesElsewhereByTheEndOfTheirPath) {
  const auto folder = fresh_folder();
  write_bytes(folder / "labels/l.csv", "file,index\na.jpg,1\nx/a.jpg,2\n");
  const Labels labels = Labels::read(folder / "labels/l.csv");
  EXPECT_EQ(labels.find((folder / "images/a.jpg").string()), 1);
  EXPECT_EQ(labels.find((folder / "images/x/a.jpg").string()), 2);
  EXPECT_EQ(labels.find((folder / "images/b.jpg").string()), std::nullopt);
}

TEST(Labels, SaysWhatIsWrong) {
  const auto path = fresh_folder() / "l.csv";
  EXPECT_EQ(reason(path, "file,index\na,1\n"), "no error");
  EXPECT_EQ(reason(path, ""), ":1: no column 'file' among ");
  EXPECT_EQ(reason(path, "file,label\na,1\n"), ":1: no column 'index' among file, label");
  EXPECT_EQ(reason(path, "file,index\n"), ":2: no labels");
  EXPECT_EQ(reason(path, "file,index\n\"a\nb\",1\nc,x\n"), ":4: 'x' is not the index of a class");
  EXPECT_EQ(reason(path, "file,index\na,-1\n"), ":2: '-1' is not the index of a class");
  EXPECT_EQ(reason(path, "file,index\na\n"), ":2: too few columns");
  EXPECT_EQ(reason(path, "file,index\na,1\na,1\na,2\n"), ":4: 'a' has two labels");
}

TEST(Classes, ReadsEitherForm) {
  const auto folder = fresh_folder();
  write_bytes(folder / "a.tsv",
              "index\tid\tname\r\n0\tn01\ttench\r\n5\tn06\tgreat white shark\r\n");
  const auto table = read_classes(folder / "a.tsv");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table.at(0).id, "n01");
  EXPECT_EQ(table.at(5).name, "great white shark");
  write_bytes(folder / "b.tsv", "0\tn01\ttench\n1\tn02\tgoldfish\n");
  EXPECT_EQ(read_classes(folder / "b.tsv").at(0).name, "tench");
  write_bytes(folder / "c.txt", "tench\ngoldfish, Carassius\n");
  EXPECT_EQ(read_classes(folder / "c.txt").at(1).name, "goldfish, Carassius");
  write_bytes(folder / "d.tsv", "0\ta\n1\tb\n1\tc\n");
  EXPECT_THROW(read_classes(folder / "d.tsv"), Error);
  write_bytes(folder / "e.tsv", "\n");
  EXPECT_THROW(read_classes(folder / "e.tsv"), Error);
}

TEST(Labels, ReadsTheRealOnes) {
  SKIP_WITHOUT_SHARED(assets, "assets");
  const Labels labels = Labels::read(assets / "eval/labels.csv");
  EXPECT_EQ(labels.size(), 500u);
  EXPECT_EQ(labels.of((assets / "eval/0c7ac4a8c9dfa802.jpg").string()), 305);
  const auto classes = read_classes(assets / "imagenet_classes.tsv");
  EXPECT_EQ(classes.size(), 1000u);
  EXPECT_EQ(classes.at(0).name, "tench");
}

}  // namespace
}  // namespace intaglio
