#include "calibration/tokens/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "calibration/tokens/added_tokens.h"
#include "calibration/tokens/pre_tokenizer.h"
#include "calibration/tokens/template.h"
#include "calibration/tokens/token_model.h"
#include "calibration/tokens/tokenizer_json.h"
#include "calibration/tokens/unicode.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"

namespace intaglio {
namespace {

Normalizer normalizer_of(const Place& document) {
  return document.has("normalizer") ? make_normalizer(document.at("normalizer")) : Normalizer();
}

std::vector<Place> added_of(const Place& document) {
  return document.has("added_tokens") ? document.list("added_tokens") : std::vector<Place>();
}

// That of the file, else the one that is called so.
std::optional<std::int64_t> padding_of(const Place& document, const TokenModel& model,
                                       const AddedTokens& added) {
  if (document.has("padding") && document.at("padding").has("pad_id"))
    return document.at("padding").number("pad_id");
  for (const char* const name : {"[PAD]", "<pad>", "<|pad|>"}) {
    if (const auto id = added.find(name)) return id;
    if (const auto it = model.vocabulary().find(std::string_view(name));
        it != model.vocabulary().end())
      return it->second;
  }
  return std::nullopt;
}

void require_utf8(std::string_view text) {
  if (const auto fault = unicode::first_fault(text))
    throw Error(Code::data, fmt::format("no UTF-8 from byte {} on", *fault),
                "Save the text as UTF-8.");
}

}  // namespace

struct Tokenizer::Parts {
  Parts(const Place& document, std::string_view json)
      : normalizer(normalizer_of(document)),
        model(make_token_model(document.at("model"))),
        added(added_of(document), normalizer),
        padding(padding_of(document, *model, added)),
        sha256(intaglio::sha256(json)) {
    if (document.has("pre_tokenizer"))
      pre_tokenizer = make_pre_tokenizer(document.at("pre_tokenizer"));
    if (document.has("post_processor")) around = read_template(document.at("post_processor"));
    size = model->vocabulary().size();
    for (const Place& token : added_of(document))
      size += !model->vocabulary().contains(token.text("content"));
  }

  Normalizer normalizer;  // may be null, as the next one
  PreTokenizer pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  AddedTokens added;
  TokenTemplate around;
  std::optional<std::int64_t> padding;
  std::string sha256;
  std::size_t size = 0;

  // What lies between added tokens becomes ids, word by word; words come back, and so do their
  // tokens.
  using Words = std::unordered_map<std::string, std::vector<std::int64_t>>;
  void add_words(const std::string& text, bool first, Words& known,
                 std::vector<std::int64_t>& ids) const {
    std::vector<Piece> pieces = {{text, first}};
    if (pre_tokenizer) pieces = pre_tokenizer(std::move(pieces));
    for (const Piece& piece : pieces) {
      if (piece.text.empty()) continue;
      const auto [it, fresh] = known.try_emplace(piece.text);
      if (fresh) model->add(piece.text, it->second);
      ids.insert(ids.end(), it->second.begin(), it->second.end());
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::read(const std::filesystem::path& file) {
  return parse(read_file(file), file.string());
}

Tokenizer Tokenizer::parse(std::string_view json, const std::string& origin) {
  if (const auto fault = unicode::first_fault(json))
    throw Error(Code::config, fmt::format("{}: no UTF-8 from byte {} on", origin, *fault),
                "Give the tokenizer.json that lies beside the model.");
  const TokenizerJson document = parse_tokenizer_json(json, origin);
  return Tokenizer(std::make_unique<Parts>(Place(document, origin), json));
}

std::string_view Tokenizer::kind() const { return parts_->model->kind(); }
std::size_t Tokenizer::size() const { return parts_->size; }
const std::string& Tokenizer::sha256() const { return parts_->sha256; }
bool Tokenizer::encloses() const { return !parts_->around.back.empty(); }
std::optional<std::int64_t> Tokenizer::padding() const { return parts_->padding; }

std::vector<std::int64_t> Tokenizer::encode(std::string_view text, bool around,
                                            std::optional<std::size_t> most) const {
  require_utf8(text);
  const Parts& p = *parts_;
  std::vector<std::int64_t> ids;
  Parts::Words known;
  for (const AddedTokens::Part& part : p.added.cut(text, /*normalized=*/false)) {
    if (part.id) {
      ids.push_back(*part.id);
      continue;
    }
    const std::string normalized = p.normalizer ? p.normalizer(part.text) : part.text;
    for (const AddedTokens::Part& inner : p.added.cut(normalized, /*normalized=*/true))
      if (inner.id)
        ids.push_back(*inner.id);
      else
        p.add_words(inner.text, part.first == 0 && inner.first == 0, known, ids);
  }
  const TokenTemplate sides = around ? p.around : TokenTemplate{};
  const std::size_t beside = sides.front.size() + sides.back.size();
  if (most) ids.resize(std::min(ids.size(), std::max(*most, beside) - beside));
  ids.insert(ids.begin(), sides.front.begin(), sides.front.end());
  ids.insert(ids.end(), sides.back.begin(), sides.back.end());
  return ids;
}

}  // namespace intaglio
