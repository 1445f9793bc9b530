// What makes the figures of an evaluation doubtful.
#pragma once

#include <string>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

// Figures that there were no boxes or characters for, values that are not finite; and where the
// float model itself finds next to nothing (no boxes, hardly a character a line, flat scores, one
// class for all, labels at chance): then its inputs are hardly what it was trained on, and a good
// SQNR says nothing.
std::vector<std::string> evaluation_warnings(const Evaluation& evaluation);

}  // namespace intaglio
