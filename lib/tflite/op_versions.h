// Versions of operators: each extension of an operator (codes, further options) has raised its
// number, and runtimes load what they know.
#pragma once

#include <tflite_generated.h>

namespace intaglio::tflite {

// codes: the operator reads int8 or uint8.
int version_of(fb::Op op, bool codes, const fb::OptionsUnion& options);

}  // namespace intaglio::tflite
