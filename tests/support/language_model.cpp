#include "tests/support/language_model.h"

#include <fmt/format.h>

#include "lib/exec/infer.h"
#include "lib/io/save.h"
#include "tests/support/support.h"
#include "tests/support/text_model.h"

namespace intaglio::testing {
namespace {

// Inputs called w_* become constants.
const char* const decoder =
    "(int64[batch,seq] input_ids, int64[batch,total] attention_mask, float[batch,3,past,4] "
    "past_key, "
    "float[104,32] w_table, float[32,64] w_up, float[64,32] w_down, float[32,104] w_head) => "
    "(float[batch,seq,104] logits, float[batch,3,past,4] present_key) { "
    "x = Gather(w_table, input_ids) up = MatMul(x, w_up) act = Relu(up) down = MatMul(act, w_down) "
    "sum = Add(x, down) m = Cast<to = 1>(attention_mask) axes = Constant<value_ints = [2]>() "
    "column = Unsqueeze(m, axes) masked = Mul(sum, column) logits = MatMul(masked, w_head) "
    "present_key = Identity(past_key) }";

}  // namespace

std::string save_decoder(const std::filesystem::path& path) {
  Model model = TextModel().model(decoder);
  unsigned seed = 3;
  for (Value* feed : model.graph().feeds()) {
    if (!feed->name().starts_with("w_")) continue;
    Shape shape;
    for (const Dim& d : *feed->dims()) shape.push_back(d.value);
    feed->set_constant(random_tensor(shape, ++seed, -0.4F, 0.4F));
  }
  infer_types(model);
  save_model(model, path);
  return path.string();
}

nlohmann::json small_tokenizer() {
  nlohmann::json vocabulary = nlohmann::json::object();
  for (int c = 0x20; c < 0x7f; ++c) vocabulary[std::string(1, static_cast<char>(c))] = c - 0x20;
  vocabulary["\n"] = 95;
  for (const char* word : {"th", "the", "an", "and"}) vocabulary[word] = vocabulary.size();
  return {{"model",
           {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", {"t h", "th e", "a n", "an d"}}}}};
}

std::string small_text() {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += fmt::format("In the {} places and the other {} ones, things went on.\n", i, i * 7 % 13);
  return text;
}

}  // namespace intaglio::testing
