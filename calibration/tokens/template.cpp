#include "calibration/tokens/template.h"

#include <fmt/format.h>

namespace intaglio {
namespace {

// ["[SEP]", 102]
std::int64_t id_of_pair(const Place& place) {
  const std::vector<Place> parts = place.items();
  if (parts.size() != 2) place.fail("expected a token and its id");
  return parts[1].number();
}

TokenTemplate of_single(const Place& place) {
  TokenTemplate around;
  bool behind = false;
  for (const Place& part : place.list("single")) {
    if (part.has("Sequence")) {
      if (behind) part.refuse("a template that has the text twice");
      behind = true;
      continue;
    }
    const std::string name = part.at("SpecialToken").text("id");
    const Place tokens = place.at("special_tokens");
    if (!tokens.has(name)) tokens.fail(fmt::format("'{}' is missing", name));
    for (const Place& id : tokens.at(name).list("ids"))
      (behind ? around.back : around.front).push_back(id.number());
  }
  if (!behind) place.refuse("a template without the text");
  return around;
}

}  // namespace

TokenTemplate read_template(const Place& place) {
  const std::string type = place.type();
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return of_single(place);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return {{id_of_pair(place.at("cls"))}, {id_of_pair(place.at("sep"))}};
  if (type != "Sequence") place.refuse("post-processor " + type);
  TokenTemplate around;
  for (const Place& step : place.list("processors")) {
    const TokenTemplate next = read_template(step);
    around.front.insert(around.front.begin(), next.front.begin(), next.front.end());
    around.back.insert(around.back.end(), next.back.begin(), next.back.end());
  }
  return around;
}

}  // namespace intaglio
