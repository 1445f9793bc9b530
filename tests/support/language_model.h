// A small language model and its tokenizer.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace intaglio::testing {

// Saves a decoder of a vocabulary of 104 tokens and 32 channels, with random weights: each token
// scores the next one. Inputs: input_ids, attention_mask, past_key. Returns the path.
std::string save_decoder(const std::filesystem::path& path);

// As tokenizer.json has it: characters from the space on are tokens 0 to 94, a line end is 95; a few
// words follow.
nlohmann::json small_tokenizer();

// Some lines of English for it, about 2000 tokens.
std::string small_text();

}  // namespace intaglio::testing
