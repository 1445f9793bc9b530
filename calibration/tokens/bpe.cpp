// Byte pair encoding: of all neighbours in a word those are joined first whose merge was learnt
// first (Sennrich et al. 2015, "Neural Machine Translation of Rare Words with Subword Units").
#include <fmt/format.h>

#include <optional>
#include <queue>
#include <utility>

#include "calibration/tokens/token_model.h"
#include "calibration/tokens/unicode.h"

namespace intaglio {
namespace {

constexpr std::int64_t none = -1;

struct Merge {
  std::int64_t rank, token;  // token: what the two become
};

// A token in a list of those of a word.
struct Symbol {
  std::int64_t token;
  std::int64_t before, behind;  // none at the ends
};

// What joins the symbol at a place with the next one; out of date where they become something else
// by now, or nothing.
struct Candidate {
  std::int64_t rank, at, token;
  bool operator<(const Candidate& other) const {  // the top of a queue: the least rank, leftmost
    return std::pair(rank, at) > std::pair(other.rank, other.at);
  }
};

class Bpe final : public TokenModel {
 public:
  explicit Bpe(const Place& place)
      : vocabulary_(read_vocabulary(place.at("vocab"))),
        prefix_(place.text("continuing_subword_prefix", "")),
        suffix_(place.text("end_of_word_suffix", "")),
        fuse_unknown_(place.flag("fuse_unk", false)),
        bytes_(place.flag("byte_fallback", false)),
        ignore_merges_(place.flag("ignore_merges", false)) {
    if (place.has("dropout") && place.at("dropout").json() != 0)
      place.at("dropout").refuse("dropout, which is chance,");
    if (place.has("unk_token")) unknown_ = id_of(place.at("unk_token"));
    for (const Place& merge : place.list("merges")) read_merge(merge);
  }

  std::string_view kind() const override { return "BPE"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void add(std::string_view word, std::vector<std::int64_t>& ids) const override {
    if (ignore_merges_)
      if (const auto it = vocabulary_.find(word); it != vocabulary_.end())
        return ids.push_back(it->second);
    std::vector<Symbol> symbols;
    for (const std::int64_t token : symbols_of(word)) {
      const auto at = static_cast<std::int64_t>(symbols.size());
      symbols.push_back({token, at - 1, at + 1});
    }
    if (symbols.empty()) return;
    symbols.back().behind = none;
    join(symbols);
    for (std::int64_t at = 0; at != none; at = symbols[static_cast<std::size_t>(at)].behind)
      ids.push_back(symbols[static_cast<std::size_t>(at)].token);
  }

 private:
  std::int64_t id_of(const Place& token) const {
    const std::string text = token.text();
    const auto it = vocabulary_.find(text);
    if (it == vocabulary_.end()) token.fail(fmt::format("'{}' is not in the vocabulary", text));
    return it->second;
  }

  // "a b", or ["a", "b"] where tokens hold spaces.
  void read_merge(const Place& merge) {
    std::vector<std::string> pair;
    if (merge.json().is_string()) {
      const std::string text = merge.text();
      const auto space = text.find(' ');
      if (space != std::string::npos) pair = {text.substr(0, space), text.substr(space + 1)};
    } else {
      for (const Place& part : merge.items()) pair.push_back(part.text());
    }
    if (pair.size() != 2) merge.fail("expected two tokens");
    const std::string_view behind = pair[1];
    const bool prefixed = !prefix_.empty() && behind.starts_with(prefix_);
    const std::string whole = pair[0] + std::string(behind.substr(prefixed ? prefix_.size() : 0));
    for (const std::string& token : {pair[0], pair[1], whole})
      if (!vocabulary_.contains(token))
        merge.fail(fmt::format("'{}' is not in the vocabulary", token));
    merges_.insert_or_assign(key(vocabulary_.at(pair[0]), vocabulary_.at(pair[1])),
                             Merge{rank_++, vocabulary_.at(whole)});
  }

  static std::uint64_t key(std::int64_t first, std::int64_t second) {
    return static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint64_t>(second);
  }

  // The characters, as the vocabulary has them; what it has not, as bytes or as unknown.
  std::vector<std::int64_t> symbols_of(std::string_view word) const {
    const std::u32string characters = unicode::characters(word);
    std::vector<std::int64_t> symbols;
    bool after_unknown = false;
    for (std::size_t i = 0; i < characters.size(); ++i) {
      std::string text = i > 0 ? prefix_ : "", bytes;
      unicode::append(bytes, characters[i]);
      text += bytes;
      if (i + 1 == characters.size()) text += suffix_;
      const auto it = vocabulary_.find(text);
      const bool known = it != vocabulary_.end();
      if (known) symbols.push_back(it->second);
      const bool as_bytes = !known && bytes_ && add_bytes(text, symbols);
      const bool unknown = !known && !as_bytes && unknown_ != none;
      if (unknown && !(fuse_unknown_ && after_unknown)) symbols.push_back(unknown_);
      if (known || as_bytes || unknown) after_unknown = unknown;
    }
    return symbols;
  }

  // "<0xE2>" for each; false, and nothing added, where one of them is not in the vocabulary.
  bool add_bytes(std::string_view text, std::vector<std::int64_t>& symbols) const {
    std::vector<std::int64_t> ids;
    for (const char byte : text) {
      const auto it = vocabulary_.find(fmt::format("<0x{:02X}>", static_cast<unsigned char>(byte)));
      if (it == vocabulary_.end()) return false;
      ids.push_back(it->second);
    }
    symbols.insert(symbols.end(), ids.begin(), ids.end());
    return true;
  }

  // Of a symbol with the one behind it; null: there is none.
  const Merge* merge_of(const std::vector<Symbol>& symbols, const Symbol& first) const {
    if (first.token == none || first.behind == none) return nullptr;
    const Symbol& second = symbols[static_cast<std::size_t>(first.behind)];
    const auto it = merges_.find(key(first.token, second.token));
    return it == merges_.end() ? nullptr : &it->second;
  }

  void join(std::vector<Symbol>& symbols) const {
    std::priority_queue<Candidate> queue;
    const auto consider = [&](std::int64_t at) {
      const Merge* merge =
          at == none ? nullptr : merge_of(symbols, symbols[static_cast<std::size_t>(at)]);
      if (merge != nullptr) queue.push({merge->rank, at, merge->token});
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) consider(static_cast<std::int64_t>(i));
    while (!queue.empty()) {
      const Candidate best = queue.top();
      queue.pop();
      Symbol& first = symbols[static_cast<std::size_t>(best.at)];
      const Merge* merge = merge_of(symbols, first);
      if (merge == nullptr || merge->token != best.token) continue;
      Symbol& second = symbols[static_cast<std::size_t>(first.behind)];
      first.token = best.token;
      first.behind = second.behind;
      second.token = none;  // gone
      if (first.behind != none) symbols[static_cast<std::size_t>(first.behind)].before = best.at;
      consider(first.before);
      consider(best.at);
    }
  }

  Vocabulary vocabulary_;
  std::string prefix_, suffix_;
  bool fuse_unknown_, bytes_, ignore_merges_;
  std::int64_t unknown_ = none, rank_ = 0;  // rank: of the next merge
  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace

std::unique_ptr<TokenModel> make_bpe(const Place& place) { return std::make_unique<Bpe>(place); }

}  // namespace intaglio
