#include "lib/eval/boxes.h"

#include <algorithm>

namespace intaglio {
namespace {

double area(const Box& box) {
  const double width = double{box.x2} - box.x1, height = double{box.y2} - box.y1;
  return width > 0 && height > 0 ? width * height : 0;
}

constexpr std::size_t nobody = static_cast<std::size_t>(-1);

// Looks for partners by moving those that are taken to another of theirs.
class Matching {
 public:
  Matching(const Detections& expected, const Detections& found, double least)
      : candidates_(expected.size()), partner_(found.size(), nobody) {
    for (std::size_t e = 0; e < expected.size(); ++e)
      for (std::size_t f = 0; f < found.size(); ++f)
        if (expected[e].label == found[f].label && iou(expected[e].box, found[f].box) >= least)
          candidates_[e].push_back(f);
  }

  std::size_t run() {
    std::size_t pairs = 0;
    for (std::size_t e = 0; e < candidates_.size(); ++e) {
      seen_.assign(partner_.size(), false);
      pairs += place(e);
    }
    return pairs;
  }

 private:
  bool place(std::size_t e) {
    for (const std::size_t f : candidates_[e]) {
      if (seen_[f]) continue;
      seen_[f] = true;
      if (partner_[f] != nobody && !place(partner_[f])) continue;
      partner_[f] = e;
      return true;
    }
    return false;
  }

  std::vector<std::vector<std::size_t>> candidates_;  // of each expected box: found ones
  std::vector<std::size_t> partner_;                  // of each found box: the expected one
  std::vector<bool> seen_;
};

std::optional<double> ratio(std::size_t part, std::size_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double iou(const Box& a, const Box& b) {
  const Box common{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2),
                   std::min(a.y2, b.y2)};
  const double both = area(common), either = area(a) + area(b) - both;
  const double overlap = both / either;
  return overlap >= 0 && overlap <= 1 ? overlap : 0;  // not where it is NaN
}

Detections suppress(Detections detections, double limit) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  Detections kept;
  for (const Detection& d : detections)
    if (std::none_of(kept.begin(), kept.end(), [&](const Detection& k) {
          return k.label == d.label && iou(k.box, d.box) > limit;
        }))
      kept.push_back(d);
  return kept;
}

void BoxMatches::merge(const BoxMatches& other) {
  matched += other.matched;
  expected += other.expected;
  found += other.found;
}

std::optional<double> BoxMatches::precision() const { return ratio(matched, found); }
std::optional<double> BoxMatches::recall() const { return ratio(matched, expected); }
std::optional<double> BoxMatches::f1() const { return ratio(2 * matched, expected + found); }

BoxMatches match(const Detections& expected, const Detections& found, double least) {
  return {Matching(expected, found, least).run(), expected.size(), found.size()};
}

}  // namespace intaglio
