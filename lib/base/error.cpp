#include "lib/base/error.h"

#include <utility>

namespace intaglio {

Error::Error(Code code, const std::string& message, std::string remedy)
    : std::runtime_error(message), code_(code), remedy_(std::move(remedy)) {}

Error Error::within(std::string_view context) const {
  if (code_ == Code::interrupted) return *this;  // has no place
  return Error(code_, std::string(context) + ": " + what(), remedy_);
}

}  // namespace intaglio
