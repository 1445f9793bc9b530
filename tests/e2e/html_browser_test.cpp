// What the page does in a browser: sorting, printing, fitting; and names stay names.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>

#include "tests/e2e/browser.h"
#include "tests/e2e/page.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

// Clicks on the head of a column and tells how the table looks then.
std::string click(const std::string& key, int times) {
  return R"js(
  const table = document.querySelector('#activations table');
  const head = table.tHead.querySelector('th[data-k=")js" +
         key + R"js("]');
  const button = head.querySelector('button');
  for (let i = 0; i < )js" +
         std::to_string(times) + R"js(; ++i) button.click();
  const list = name => [...table.tBodies].map(
      body => [...body.querySelectorAll('[data-k="' + name + '"]')].map(cell => cell.textContent));
  button.focus();
  return { sorted: head.getAttribute('aria-sort'), number: list('number'), cells: list(')js" +
         key +
         R"js('), rows: [...table.tBodies].map(body => body.rows.length),
           others: table.tHead.querySelectorAll('[aria-sort=none]').length,
           focused: document.activeElement === button };
)js";
}

// The key of each body: the least of its numbers, or the largest.
std::vector<double> keys(const Json& cells, bool least) {
  std::vector<double> list;
  for (const Json& body : cells) {
    std::vector<double> numbers;
    for (const Json& cell : body) numbers.push_back(std::stod(cell.get<std::string>()));
    list.push_back(least ? *std::min_element(numbers.begin(), numbers.end())
                         : *std::max_element(numbers.begin(), numbers.end()));
  }
  return list;
}

TEST(HtmlInBrowser, ButtonsSortValuesAndKeepTheirMethodsTogether) {
  SKIP_WITHOUT_BROWSER(browser);
  const auto page = page_of("compare", demo());
  const Json before = browser.ask(page, click("sqnr", 0));
  EXPECT_EQ(before["sorted"], "none");
  EXPECT_TRUE(before["focused"].get<bool>());
  for (const Json& rows : before["rows"]) EXPECT_EQ(rows, 4);

  const Json up = browser.ask(page, click("sqnr", 1)), down = browser.ask(page, click("sqnr", 2));
  EXPECT_EQ(up["sorted"], "ascending");
  EXPECT_EQ(down["sorted"], "descending");
  EXPECT_EQ(up["others"], 9 - 1) << "one column is sorted";
  const auto least = keys(up["cells"], true), most = keys(down["cells"], false);
  EXPECT_GT(least.size(), 10u);
  EXPECT_TRUE(std::is_sorted(least.begin(), least.end()));
  EXPECT_TRUE(std::is_sorted(most.rbegin(), most.rend()));
  EXPECT_NE(up["number"], before["number"]);
  EXPECT_EQ(up["rows"], before["rows"]);
  EXPECT_EQ(browser.ask(page, click("number", 1))["number"], before["number"])
      << "back in the order of the model";
}

TEST(HtmlInBrowser, DetailsOpenForPrintingAndCloseAgain) {
  SKIP_WITHOUT_BROWSER(browser);
  const auto page = page_of("quantize", demo());
  const Json states = browser.ask(page, R"js(
    const open = () => [...document.querySelectorAll('details')].filter(d => d.open).length;
    const states = [document.querySelectorAll('details').length, open()];
    for (const event of ['beforeprint', 'afterprint']) {
      dispatchEvent(new Event(event));
      states.push(open());
    }
    return states;
  )js");
  EXPECT_GE(states[0].get<int>(), 3);
  EXPECT_EQ(states, Json({states[0], 0, states[0], 0}));
}

TEST(HtmlInBrowser, ThePageFitsANarrowWindow) {
  SKIP_WITHOUT_BROWSER(browser);
  for (const char* command : {"compare", "quantize", "analyze"}) {
    const auto page = page_of(command, demo());
    const Json sizes =
        browser.ask(page, "return [document.documentElement.scrollWidth, innerWidth];",
                    {.width = 500, .height = 800});
    EXPECT_LE(sizes[0].get<int>(), sizes[1].get<int>())
        << command << ": only tables scroll sideways";
  }
}

TEST(HtmlInBrowser, ATableOfWeightsIsNotCutAtTheWidthOfALaptop) {
  SKIP_WITHOUT_BROWSER(browser);
  const Json sizes = browser.ask(page_of("quantize", demo()), R"js(
    const box = document.querySelector('#weights .wide');
    return [box.scrollWidth, box.clientWidth];
  )js",
                                 {.width = 1300, .height = 800});
  EXPECT_LE(sizes[0].get<int>(), sizes[1].get<int>());
}

TEST(HtmlInBrowser, AnAnalysisShowsItsFiguresInANarrowWindow) {
  SKIP_WITHOUT_BROWSER(browser);
  const Json seen = browser.ask(page_of("analyze", demo()), R"js(
    const row = document.querySelector('#layers tbody tr');
    const gain = row.querySelector('[data-k=gain]').getBoundingClientRect();
    return { right: gain.right, width: innerWidth, height: row.getBoundingClientRect().height };
  )js",
                                {.width = 500, .height = 800});
  EXPECT_LT(seen["right"].get<double>(), seen["width"].get<double>());
  EXPECT_LT(seen["height"].get<double>(), 100) << "hints wrap where they have room";
}

TEST(HtmlInBrowser, NamesThatLookLikeScriptsDoNotRun) {
  SKIP_WITHOUT_BROWSER(browser);
  onnx::ModelProto model;
  std::ifstream file(demo(), std::ios::binary);
  ASSERT_TRUE(model.ParseFromIstream(&file));
  const std::string evil =
      "'\"></code><img src=x "
      "onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
  for (auto& node : *model.mutable_graph()->mutable_node()) *node.mutable_name() += evil;
  const auto folder = fresh_folder().parent_path();
  const std::string path = (folder / "evil.onnx").string();
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  const auto page = page_of("quantize", path);
  const Json seen = browser.ask(page, R"js(
    return { title: document.title, images: document.images.length, scripts: document.scripts.length,
             names: [...document.querySelectorAll('#nodes code')].map(c => c.textContent) };
  )js");
  EXPECT_EQ(seen["title"], "evil.onnx, quantized");
  EXPECT_EQ(seen["images"], 0);
  EXPECT_EQ(seen["scripts"], 2) << "that of the page and that of the test";
  EXPECT_TRUE(std::any_of(seen["names"].begin(), seen["names"].end(), [&](const Json& name) {
    return name == "/block1/add" + evil;
  })) << seen["names"];
}

}  // namespace
}  // namespace intaglio::testing
