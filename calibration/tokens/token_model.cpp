#include "calibration/tokens/token_model.h"

#include <fmt/format.h>

namespace intaglio {

std::unique_ptr<TokenModel> make_token_model(const Place& place) {
  const std::string type =  // older files leave it out
      place.text("type", place.has("merges") ? "BPE" : "");
  if (type == "BPE") return make_bpe(place);
  if (type == "WordPiece") return make_word_piece(place);
  place.refuse(type.empty() ? "a model without a type" : "a tokenizer of the kind " + type);
}

Vocabulary read_vocabulary(const Place& place) {
  if (!place.json().is_object() || place.json().empty())
    place.fail("expected an object with an id for each token");
  Vocabulary vocabulary;
  for (const auto& [token, id] : place.json().items()) {
    if (!id.is_number_integer() || id < 0 || id > (1 << 30))
      place.fail(fmt::format("the id of '{}' is none", token));
    vocabulary.emplace(token, id.get<std::int64_t>());
  }
  return vocabulary;
}

}  // namespace intaglio
