// The one exception type of the project. It is thrown anywhere and caught once, in apps/main.cpp,
// where its code becomes the exit code of the process and its two texts become the two lines that
// the user reads: what went wrong and where, then what to do about it.
//
// User mistakes (files, models, data, options) throw Error; our own mistakes assert or throw
// Code::internal. An expected "no" (a kernel refuses a node, a node stays float) is not an error
// but a value that carries its reason.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace intaglio {

// The values are the exit codes of the program; scripts rely on them.
enum class Code {
  internal = 1,     // a bug of ours
  usage = 2,        // a wrong command line
  config = 3,       // a wrong target, preset, plan or file of settings
  io = 4,           // a file cannot be read or written
  model = 5,        // the model is malformed or inconsistent
  unsupported = 6,  // the model is fine, but we cannot do what it asks for
  data = 7,         // the calibration or evaluation data is unusable
  accuracy = 8,     // a gate was missed; outputs are written all the same
  interrupted = 130,
};

class Error : public std::runtime_error {
 public:
  // message: "<what, where>: <reason>", one line without a final full stop.
  // remedy: one imperative sentence, may be empty.
  Error(Code code, const std::string& message, std::string remedy = {});

  Code code() const { return code_; }
  const std::string& remedy() const { return remedy_; }

  // The same error with "context: " in front, for callers that know more about the place.
  Error within(std::string_view context) const;

 private:
  Code code_;
  std::string remedy_;
};

}  // namespace intaglio
