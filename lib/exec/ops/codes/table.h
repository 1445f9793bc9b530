// Functions of one 8-bit code, sixty-four codes at a time.
#pragma once

#include <cstdint>

namespace intaglio {

bool has_code_tables();  // whether this processor has the instructions (AVX-512 VBMI)

// out[i] = table[codes[i]]; 256 bytes of table.
void run_code_table(const std::uint8_t* codes, std::int64_t count, const std::uint8_t* table,
                    std::uint8_t* out);

}  // namespace intaglio
