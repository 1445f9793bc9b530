// A difference of two reports as tables, for a terminal and for Markdown.
#pragma once

#include "apps/report/diff.h"
#include "apps/report/markdown.h"

namespace intaglio {

struct DiffTable {
  std::string title;
  Rows rows;             // the first one is the head
  std::size_t more = 0;  // rows that were left out
};

// Figures, then what there is of: nodes that changed form, nodes of one report alone, values whose
// range moved, values of another type, options. At most so many rows each.
std::vector<DiffTable> tables_of(const ReportDiff& diff, std::size_t most);

// "quantized by mse as qdq for onnxruntime: out.onnx".
std::string side_text(const ReportDigest& digest);

// The whole as Markdown, under a heading.
std::string markdown_of(const ReportDiff& diff, const std::vector<JudgedGate>& gates);

}  // namespace intaglio
