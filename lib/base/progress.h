// Progress of a long phase, and the wish of the user to stop it.
#pragma once

#include <cstddef>
#include <functional>

namespace intaglio {

// Called from one thread at a time: units done, units in all. What they are called and how it is
// shown (a live bar, a line per 10 %) is decided by apps/.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

// Set by the signal handlers of the program (apps/signals.h).
void request_interrupt() noexcept;

// Whether somebody asked, and nobody accepted since.
bool interrupt_requested() noexcept;

// Takes note of it, and lets what there is get finished.
void accept_interrupt() noexcept;

// Throws Code::interrupted once request_interrupt() was called. Long loops call it once per unit.
void check_interrupt();

}  // namespace intaglio
