// The form of the output: which operators carry the quantized values.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "calibration/refine/migration.h"
#include "lib/graph/model.h"
#include "lib/passes/fix_shapes.h"
#include "lib/quant/draft.h"
#include "lib/quant/target.h"
#include "lib/rewrite/form.h"
#include "lib/rewrite/interface.h"

namespace intaglio {

// Where Q/DQ pairs stand: so that all runs in integers, or none where it costs accuracy.
enum class Placement { speed, accuracy };
constexpr std::array<Word<Placement>, 2> words(Placement) {
  return {{{"speed", Placement::speed}, {"accuracy", Placement::accuracy}}};
}

// Types of graph inputs or outputs; undefined: float, as they are.
inline constexpr std::array<Word<DType>, 3> interface_types = {
    {{"float", DType::undefined}, {"s8", DType::s8}, {"u8", DType::u8}}};

struct FormOptions {
  OutputForm form = OutputForm::qdq;
  bool contrib = false;  // operators of com.microsoft may be written
  Placement placement = Placement::speed;
  InterfaceTypes io;
  bool float16 = false;   // what stays float computes in float16
  bool from_qdq = false;  // the model is quantized already: bring it into the form
  // Of MatMulNBits (lib/rewrite/blocked.h); nullopt: not given, 4.
  std::optional<std::int64_t> accuracy_level = {};
  ShapeRequest shapes = {};  // of the output; the target may want more (shapes.h)

  const FormTraits& traits() const { return traits_of(form); }
  std::string name() const { return std::string(word_of(form)); }
  // Whether ranges of activations come from data.
  bool calibrated() const { return traits().codes && !from_qdq; }
};

// "s8" for both ends, "s8,float" for inputs and outputs. Throws Code::usage.
InterfaceTypes parse_interface(std::string_view text);
std::string text_of(const InterfaceTypes& types);

// What --activations and --symmetric say is about calibrated ranges; nullopt and false: not given.
struct ActivationOptions {
  std::optional<DType> type;
  bool symmetric;
};
// Throws Code::usage for options that contradict each other.
void require_consistent(const FormOptions& options, const ActivationOptions& activations);

// The target as a draft for this form sees it; Code::config when the form cannot have it.
Target target_for(const FormOptions& options, Target target);

// Which nodes and values are quantized in this form. With --from-qdq: which of them the model has
// quantized already, without numbers.
Plan draft_for(const FormOptions& options, const Graph& graph, const Target& target,
               const Selection& selection);
// The same, of the graph as it is when some of its nodes hold scales of channels.
Redraft redraft_for(const FormOptions& options, const Target& target, const Selection& selection);

// Throws Code::unsupported for an input or output that is to hold codes and, as the draft has it,
// will not, with what can be done: of `others`, the targets that would quantize it.
void require_interface(const FormOptions& options, const Graph& graph, const Plan& draft,
                       std::span<const Target> others);

// Rewrites the prepared model that the plan was drafted for (--from-qdq: any). Its inputs and
// outputs stay float. target: what will run it.
Written write_form(const FormOptions& options, Model& model, const Plan& plan,
                   const Target& target);

// The last step: inputs and outputs of the type asked for; nullopt: they are float.
std::optional<Interface> write_interface(const FormOptions& options, Model& model);

}  // namespace intaglio
