// What a report of quantize holds by which two of them are compared.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/eval/share.h"

namespace intaglio {

// A figure that reports share, and the gate on its change: a row for each in digest.cpp.
struct FigureDef {
  std::string_view name;        // in documents: "agreement"
  std::string_view head;        // for people: "agreement %"
  std::string_view gate;        // "max-agreement-drop"
  std::string_view unit, help;  // of the gate; help goes on after "when"
  int decimals = 2;
  bool small = false;     // smaller is better
  bool relative = false;  // the gate is on percent of the old figure
};
std::span<const FigureDef> figure_defs();

struct DigestFigure {
  const FigureDef* def;
  std::string of;                                   // the output; empty: the whole
  double value = 0;                                 // infinite: without noise
  std::optional<ConfidenceInterval> interval = {};  // of a share
};

struct DigestNode {
  std::string name, op, output, status, reason;  // status: "quantized" or "float"
};

struct DigestValue {
  std::string name, kind, node,
      type;                      // node: that stores a weight or bias; type: empty where not known
  std::optional<double> lo, hi;  // of values that have a range
};

struct DigestFile {
  std::string path, sha256;
};

struct ReportDigest {
  std::string path, version;  // of the report, and of the program that wrote it
  DigestFile model, output;
  std::string format, target, method, data;  // data: hash of the samples; empty: there were none
  std::string evaluation_source;             // empty: nothing was compared
  std::uint64_t samples = 0;                 // compared
  std::vector<DigestFigure> figures;         // sizes first
  std::vector<DigestNode> nodes;             // those that preparation did away with left out
  std::vector<DigestValue> values;           // likewise
  Json options;                              // by name
};

// Throws Code::io for a file that cannot be read, and Code::config for one that is no JSON, that is
// another document than a report of quantize (which is named), or that lacks a key, with its path.
ReportDigest read_digest(const std::string& path);

}  // namespace intaglio
