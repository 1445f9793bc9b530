// The one door to spdlog. The library logs through these macros-free helpers and never prints;
// where the log goes (stderr) and how much of it is shown is decided by apps/main.cpp.
#pragma once

#include <spdlog/spdlog.h>

namespace intaglio::log {

using spdlog::debug;
using spdlog::info;
using spdlog::warn;

}  // namespace intaglio::log
