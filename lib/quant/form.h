// The forms of output: which operators carry the quantized values. What each form is stands in one
// table here; how it is drafted and written, in lib/rewrite/form.cpp.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/words.h"

namespace intaglio {

enum class OutputForm {
  qdq,          // pairs of QuantizeLinear and DequantizeLinear around float operators
  qoperator,    // operators on codes
  dynamic,      // activations are quantized as the model runs
  weights,      // weights alone are codes, behind DequantizeLinear
  matmulnbits,  // the same in groups, in operators of com.microsoft that multiply with codes
  tflite,       // pairs as operators of a TFLite file (lib/tflite)
  ncnn,         // a converted network of ncnn with codes and scales (lib/ncnn)
};

constexpr std::array<Word<OutputForm>, 7> words(OutputForm) {
  return {{{"qdq", OutputForm::qdq},
           {"qoperator", OutputForm::qoperator},
           {"dynamic", OutputForm::dynamic},
           {"weights", OutputForm::weights},
           {"matmulnbits", OutputForm::matmulnbits},
           {"tflite", OutputForm::tflite},
           {"ncnn", OutputForm::ncnn}}};
}

struct FormTraits {
  OutputForm form;
  // Activations have codes whose ranges are known ahead of the run: they come from data.
  bool codes = false;
  // Float operators stand between pairs, which may be placed, and hold 16 bits.
  bool pairs = false;
  // Activations are quantized while the model runs.
  bool at_run_time = false;
  // There are operators of com.microsoft for it, where they are allowed.
  bool contrib = false;
  // Weights may come in groups that share a scale (lib/quant/groups.h), or always do: then operators
  // of com.microsoft multiply with their codes.
  bool groups = false, always_groups = false;
  // The file is an ONNX model; what it is called, and how it ends.
  bool onnx = true;
  std::string_view called = "an ONNX", ending = ".onnx";
  // Graph inputs and outputs may hold codes.
  bool interface = true;
  // The target that is meant where none is named.
  std::string_view target = "onnxruntime";

  bool weights_alone() const { return !codes && !at_run_time; }
};

constexpr std::array form_traits = {
    FormTraits{.form = OutputForm::qdq, .codes = true, .pairs = true},
    FormTraits{.form = OutputForm::qoperator, .codes = true, .contrib = true},
    FormTraits{.form = OutputForm::dynamic, .at_run_time = true, .contrib = true},
    FormTraits{.form = OutputForm::weights, .groups = true},
    FormTraits{.form = OutputForm::matmulnbits, .groups = true, .always_groups = true},
    FormTraits{.form = OutputForm::tflite,
               .codes = true,
               .pairs = true,
               .onnx = false,
               .called = "a TFLite",
               .ending = ".tflite",
               .target = "tflite-like"},
    FormTraits{.form = OutputForm::ncnn,
               .codes = true,
               .pairs = true,
               .onnx = false,
               .called = "an ncnn",
               .ending = ".param",
               .interface = false,
               .target = "ncnn"},
};

constexpr const FormTraits& traits_of(OutputForm form) {
  for (const FormTraits& traits : form_traits)
    if (traits.form == form) return traits;
  return form_traits.front();  // not reached: a test goes through all words
}

// What targets call operators of com.microsoft, beside the words of forms.
inline constexpr std::string_view contrib_form = "contrib";

}  // namespace intaglio
