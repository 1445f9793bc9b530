#include "apps/report/html/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/report/html/markup.h"
#include "apps/report/html/picture.h"
#include "apps/report/html/sections.h"
#include "lib/eval/figures.h"

namespace intaglio::html {
namespace {

constexpr std::size_t best_named = 3, boxes_named = 6;
constexpr int line_aspect = 3;  // of a picture that takes the whole width

const char* float_name = "Float";
const char* int8_name = "Quantized";

std::string name_of(const Names& names, std::int64_t index) {
  const auto it = names.find(index);
  return it == names.end() ? fmt::format("class {}", index) : escaped(it->second);
}

// --- Pictures ---

std::string figure_of(const Image& image, Size fed, std::span<const BoxLayer> layers,
                      const std::string& caption, const std::string& name) {
  return "<figure>" + picture_svg(image, fed, layers, caption + " " + name) + "<figcaption>" +
         caption + "</figcaption></figure>";
}

const Detections* boxes_of(const Answer& answer) {
  return answer.detections.size() == 1 ? &answer.detections.front() : nullptr;
}

std::string pictures(const ShownSample& s, bool compared) {
  std::string out;
  if (s.original) out += figure_of(*s.original, {}, {}, "The file", s.answer.name);
  if (s.seen) {
    std::vector<BoxLayer> layers;
    if (const Detections* boxes = boxes_of(s.answer.reference); boxes != nullptr && compared)
      layers.push_back({boxes, "box-float"});
    if (const Detections* boxes = boxes_of(s.answer.model); boxes != nullptr)
      layers.push_back({boxes, compared ? "box-int8" : "box-float"});
    out += figure_of(*s.seen, s.fed, layers, "What the network sees", s.answer.name);
  }
  if (s.expected && compared) out += figure_of(*s.expected, {}, {}, float_name, s.answer.name);
  if (s.made) out += figure_of(*s.made, {}, {}, compared ? int8_name : "Output", s.answer.name);
  if (s.heat && compared)
    out += figure_of(*s.heat, {}, {}, fmt::format("Difference, white is {:.3g}", s.most),
                     s.answer.name);
  return out.empty() ? "" : "<div class=\"pictures\">" + out + "</div>";
}

// --- Answers, a row for each model ---

std::string row(const std::string& term, const std::string& html) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", term, html);
}

// A probability, or a logit.
std::string score_text(float score) {
  return score >= 0 && score <= 1 ? fmt::format("{:.3f}", score) : significant(score);
}

std::string classes_of(const Answer& answer, const Names& names) {
  std::string text;
  const auto& best = answer.classes.front();
  for (std::size_t i = 0; i < std::min(best.size(), best_named); ++i)
    text += fmt::format("{}{} <span class=\"soft\">{}</span>", i == 0 ? "" : ", ",
                        name_of(names, static_cast<std::int64_t>(best[i])),
                        score_text(answer.scores[i]));
  return text;
}

std::string string_of(const Answer& answer, const Names& names) {
  std::string text;
  for (const Symbols& line : answer.strings) {
    if (!text.empty()) text += "\n";
    bool spaced = false;
    for (const std::int64_t symbol : line) {
      const auto it = names.find(symbol);
      if (it != names.end())
        text += it->second;
      else
        text += (spaced ? " " : "") + std::to_string(symbol);
      spaced = true;
    }
  }
  return text.empty() ? "<span class=\"soft\">nothing</span>" : code(text);
}

// "person 0.86, dog 0.44"; those of one class together: "person × 3 0.86–0.31". Best first.
std::string list_of(const Detections& boxes, const Names& names) {
  if (boxes.empty()) return "<span class=\"soft\">none</span>";
  std::vector<std::int64_t> order;
  std::map<std::int64_t, std::vector<float>> scores;
  for (const Detection& d : boxes) {
    if (!scores.contains(d.label)) order.push_back(d.label);
    scores[d.label].push_back(d.score);
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(order.size(), boxes_named); ++i) {
    const auto& list = scores[order[i]];
    const auto [low, high] = std::minmax_element(list.begin(), list.end());
    text += (i == 0 ? "" : ", ") + name_of(names, order[i]);
    if (list.size() > 1) text += fmt::format(" × {}", list.size());
    text += fmt::format(" <span class=\"soft\">{:.2f}", *high);
    if (*high - *low >= 0.01) text += fmt::format("–{:.2f}", *low);
    text += "</span>";
  }
  if (order.size() > boxes_named)
    text += fmt::format(" and {} other classes", order.size() - boxes_named);
  return text;
}

// Those that no box of the others stands for.
Detections alone(const Detections& boxes, const Detections& others, double least) {
  Detections list;
  for (const Detection& d : boxes)
    if (std::none_of(others.begin(), others.end(), [&](const Detection& other) {
          return other.label == d.label && iou(d.box, other.box) >= least;
        }))
      list.push_back(d);
  return list;
}

std::string box_rows(const ShownSample& s, const Shown& shown) {
  const Detections* made = boxes_of(s.answer.model);
  if (made == nullptr) return "";
  if (!shown.compared) return row("Boxes", list_of(*made, shown.names));
  const Detections* expected = boxes_of(s.answer.reference);
  if (expected == nullptr) return "";
  const double least = shown.plan.detect.match;
  return row("Found again", fmt::format("{} of {} boxes, among {}", s.answer.boxes.matched,
                                        s.answer.boxes.expected, s.answer.boxes.found)) +
         row("<span class=\"box-float\">Float</span> alone",
             list_of(alone(*expected, *made, least), shown.names)) +
         row("<span class=\"box-int8\">Quantized</span> alone",
             list_of(alone(*made, *expected, least), shown.names));
}

std::string output_rows(const ShownSample& s, const Shown& shown) {
  constexpr std::size_t most = 3;
  std::string out;
  for (std::size_t o = 0; o < std::min(s.answer.outputs.size(), most); ++o) {
    const Deviation& d = s.answer.outputs[o];
    const auto cosine = d.cosine();
    const std::string name =
        o < shown.plan.signature.outputs.size() ? shown.plan.signature.outputs[o].name : "";
    out += row(code(name), fmt::format("SQNR {}{}", decibels(d.sqnr_db()),
                                       cosine ? fmt::format(", cosine {:.6f}", *cosine) : ""));
  }
  return out;
}

std::string answers(const ShownSample& s, const Shown& shown) {
  std::string out;
  const Answer &a = s.answer.reference, &b = s.answer.model;
  if (s.answer.label) out += row("Label", name_of(shown.names, *s.answer.label));
  const bool embeds = shown.plan.task == Task::embeddings;
  if (!b.classes.empty() && !embeds) {
    if (shown.compared && !a.classes.empty()) out += row(float_name, classes_of(a, shown.names));
    out += row(shown.compared ? int8_name : "Classes", classes_of(b, shown.names));
  }
  out += box_rows(s, shown);
  if (shown.plan.reads_strings()) {
    if (shown.compared) out += row(float_name, string_of(a, shown.names));
    out += row(shown.compared ? int8_name : "Reads", string_of(b, shown.names));
    if (shown.compared)
      out += row("Wrong", fmt::format("{} of {} characters", s.answer.strings.errors,
                                      s.answer.strings.characters));
  }
  if (shown.compared) {
    out += output_rows(s, shown);
  } else if (out.empty() && !s.values.empty()) {
    std::string list;
    for (const float v : s.values) list += (list.empty() ? "" : ", ") + significant(v);
    out += row("First values", list + ", …");
  }
  return out.empty() ? "" : "<dl>" + out + "</dl>";
}

// The file's name; its folders are in the way.
std::string title_of(const ShownSample& s) {
  if (s.answer.name.empty()) return fmt::format("sample {}", s.answer.sample);
  return fmt::format("<code title=\"{}\">{}</code>", escaped(s.answer.name),
                     escaped(s.answer.name.substr(s.answer.name.rfind('/') + 1)));
}

bool is_line(const ShownSample& s) { return s.seen && s.fed.width > line_aspect * s.fed.height; }

}  // namespace

std::string samples_section(const Shown& shown, std::string_view heading, std::string_view text) {
  if (shown.samples.empty()) return "";
  std::string out = fmt::format(
      "<section id=\"samples\"><h2>{}</h2>\n<p>{}</p>\n<div class=\"samples\">\n", heading, text);
  for (const ShownSample& s : shown.samples) {
    const bool several = (s.original && s.seen) || s.made;
    out += fmt::format("<article class=\"sample{}\"><h3>{}</h3>{}{}</article>\n",
                       is_line(s) ? " line"
                       : several  ? " several"
                                  : "",
                       title_of(s), pictures(s, shown.compared), answers(s, shown));
  }
  return out + "</div></section>\n";
}

std::string worst_section(const Shown& shown) {
  if (!shown.compared)
    return samples_section(shown, "Worst samples",
                           "Those first whose label was missed. Small numbers are scores as the "
                           "model gives them.");
  const bool boxes = shown.plan.reads_boxes(), strings = shown.plan.reads_strings();
  const bool classes = shown.plan.has(Metric::agreement) || shown.plan.has(Metric::topk);
  std::string text = boxes     ? "Those first with the most boxes without a counterpart, then"
                     : strings ? "Those first with the most wrong characters, then"
                     : classes ? "Those first that got another class, then"
                               : "Those first with";
  text += " the lowest SQNR.";
  if (boxes || classes) text += " Small numbers are scores as the models give them.";
  if (boxes)
    text +=
        " Boxes: <span class=\"box-float\">float</span>, and dashed <span "
        "class=\"box-int8\">quantized</span>.";
  return samples_section(shown, "Worst samples", text);
}

}  // namespace intaglio::html
