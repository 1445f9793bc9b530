// What makes the figures of an evaluation doubtful.
#pragma once

#include <string>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

// Values that are not finite in one of the models alone; and where the float model itself finds next
// to nothing (no boxes, hardly a character a line, flat scores, one class for all, labels at chance):
// then its inputs are hardly what it was trained on, and a good SQNR says nothing.
std::vector<std::string> evaluation_warnings(const Evaluation& evaluation);

}  // namespace intaglio
