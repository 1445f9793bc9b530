#include "apps/report/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/report/report.h"

namespace intaglio {
namespace {

Json class_of(const Answer& answer) {
  return answer.classes.empty() ? Json() : Json(answer.classes.front().front());
}

Json score_of(const Answer& answer) {
  return answer.scores.empty() ? Json() : number(answer.scores.front());
}

Json string_of(const Answer& answer) {
  return answer.strings.empty() ? Json()
                                : Json(fmt::format("{}", fmt::join(answer.strings.front(), " ")));
}

// The columns, in their order.
Json row_of(const SampleAnswer& a, const MetricPlan& plan) {
  const bool boxes = plan.reads_boxes(), strings = plan.reads_strings();
  const auto if_any = [](bool any, std::size_t value) { return any ? Json(value) : Json(); };
  const auto same = a.tokens.same_tokens();
  const bool classes = !a.reference.classes.empty() && !a.model.classes.empty();
  return {{"sample", a.name},
          {"label", a.label ? Json(*a.label) : Json()},
          {"reference_class", class_of(a.reference)},
          {"reference_score", score_of(a.reference)},
          {"class", class_of(a.model)},
          {"score", score_of(a.model)},
          {"same_class", classes ? Json(class_of(a.reference) == class_of(a.model)) : Json()},
          {"sqnr_db", number(a.sqnr_db())},
          {"cosine", number(a.cosine())},
          {"reference_boxes", if_any(boxes, a.boxes.expected)},
          {"boxes", if_any(boxes, a.boxes.found)},
          {"matched_boxes", if_any(boxes, a.boxes.matched)},
          {"reference_string", string_of(a.reference)},
          {"string", string_of(a.model)},
          {"character_errors", if_any(strings, a.strings.errors)},
          {"perplexity", number(a.tokens.perplexity())},
          {"reference_perplexity", number(a.tokens.reference_perplexity())},
          {"kl", number(a.tokens.mean_kl())},
          {"same_token", number(same ? std::optional(same->percent()) : std::nullopt)}};
}

// Quoted where it must be (RFC 4180).
std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const std::string text = value.get<std::string>();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_of(const Json& rows) {
  std::string text;
  const auto add_line = [&](const Json& row, auto of) {
    const char* comma = "";
    for (const auto& [key, value] : row.items()) text += comma + of(key, value), comma = ",";
    text += "\n";
  };
  add_line(row_of({}, {}), [](const std::string& key, const Json&) { return key; });
  for (const Json& row : rows)
    add_line(row, [](const std::string&, const Json& value) { return cell(value); });
  return text;
}

}  // namespace

std::string samples_file_text(const Evaluation& e, const std::filesystem::path& file) {
  Json rows = Json::array();
  for (const std::size_t i : worst_first(e.answers)) rows.push_back(row_of(e.answers[i], e.plan));
  if (file.extension() == ".csv") return csv_of(rows);
  return to_text({{"schema", "intaglio.samples/1"}, {"samples", std::move(rows)}});
}

void require_samples_file(const std::filesystem::path& file) {
  if (file.empty() || file.extension() == ".csv" || file.extension() == ".json") return;
  throw Error(Code::usage, fmt::format("--samples {}: neither .csv nor .json", file.string()),
              "Name it samples.csv, or samples.json.");
}

}  // namespace intaglio
