// The fast twin of attend() (lib/exec/ops/attention.h).
//
// Rows of queries pass strip by strip, as many as a tile of products has (tile.h): their scores,
// the softmax, and the weighted sum of the values, while the scores are in the cache. Keys and
// values are packed once for all heads that share them. Keys that the mask hides from a whole strip
// are left out. A strip is the same whatever thread makes it.
#pragma once

#include "lib/exec/ops/attention.h"

namespace intaglio {

AttentionResult attend_in_strips(const AttentionInputs& in, const AttentionOptions& options);

}  // namespace intaglio
