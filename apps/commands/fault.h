// What may be thrown, as the error that users read. Code::internal means a bug of ours and nothing
// else: what the system refuses (files, threads, memory) has a code of its own.
#pragma once

#include <exception>

#include "lib/base/error.h"

namespace intaglio {

// Of Error, itself; of the standard library's exceptions, what they stand for.
Error fault_of(const std::exception_ptr& thrown);

}  // namespace intaglio
