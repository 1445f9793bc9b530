// What the targets of libFuzzer share. An outcome that is a bug of ours aborts, so that the fuzzer
// keeps the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/fuzz/outcome.h"

namespace intaglio::testing {

// Calls read with the path of a file of this name that holds the bytes. Errors of the user's making
// are what a reader is to answer.
void try_file(const std::uint8_t* data, std::size_t size, const std::string& name,
              const std::function<void(const std::filesystem::path&)>& read);

// The bytes of a model, taken the way that the program takes them, fed with ones.
void try_model(const std::uint8_t* data, std::size_t size, Way way);

// A mutator of models: now and then one of mutations_of(), else bytes.
std::size_t mutate_model(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed);

}  // namespace intaglio::testing
