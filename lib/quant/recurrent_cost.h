// What weights in codes cost a recurrent operator.
#pragma once

#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

// A warning for an LSTM, GRU or RNN whose weights alone are codes; empty where the time is as good
// as that of floats. onnxruntime 1.31 dequantizes constant weights in every run, which takes the
// operator as long as about five steps, and does not lay them out for its products beforehand,
// which costs batches of 2 to 16 sequences 1.4 to 2.5 times the time, however long they are.
std::string warning_of_recurrence(const Node& node);

}  // namespace intaglio
