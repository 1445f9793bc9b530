#include "tests/fuzz/mutations.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <set>

#include "lib/graph/op_schema.h"

namespace intaglio::testing {
namespace {

using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t odd_integers[] = {0,       -1,
                                         1,       2,
                                         3,       7,
                                         -2,      64,
                                         1 << 20, std::int64_t{1} << 31,
                                         longest, std::numeric_limits<std::int64_t>::min()};
constexpr float odd_floats[] = {0.0f, -1.0f, 1e38f, std::numeric_limits<float>::infinity(),
                                std::numeric_limits<float>::quiet_NaN()};

// The product, whatever it is: a fuzzer's models have any lengths.
template <typename Dims>
std::int64_t count_of(const Dims& dims) {
  std::uint64_t count = 1;
  for (const std::int64_t d : dims) count *= static_cast<std::uint64_t>(d);
  return static_cast<std::int64_t>(count);
}

// All nodes, those of nested graphs included, in the same order for equal models.
void collect(GraphProto& graph, std::vector<NodeProto*>& nodes) {
  for (NodeProto& node : *graph.mutable_node()) {
    nodes.push_back(&node);
    for (AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.has_g()) collect(*attribute.mutable_g(), nodes);
  }
}

NodeProto& node_at(ModelProto& model, std::size_t i) {
  std::vector<NodeProto*> nodes;
  collect(*model.mutable_graph(), nodes);
  return *nodes.at(i);
}

// --- Attributes ---

void set_kind(AttributeProto& a, char kind, std::int64_t value) {
  const std::string name = a.name();
  a.Clear();
  a.set_name(name);
  switch (kind) {
    case 'i':
      a.set_type(AttributeProto::INT);
      a.set_i(value);
      break;
    case 'I':
      a.set_type(AttributeProto::INTS);
      a.add_ints(value);
      break;
    case 'f':
      a.set_type(AttributeProto::FLOAT);
      a.set_f(static_cast<float>(value));
      break;
    case 'F':
      a.set_type(AttributeProto::FLOATS);
      a.add_floats(static_cast<float>(value));
      break;
    case 's':
      a.set_type(AttributeProto::STRING);
      a.set_s("odd");
      break;
    case 'S':
      a.set_type(AttributeProto::STRINGS);
      a.add_strings("odd");
      break;
    case 't':
      a.set_type(AttributeProto::TENSOR);
      a.mutable_t()->set_data_type(TensorProto::FLOAT);
      a.mutable_t()->add_float_data(1);
      break;
    default:
      a.set_type(AttributeProto::GRAPH);
      a.mutable_g()->set_name("empty");
  }
}

class Lister {
 public:
  explicit Lister(const ModelProto& seed) : seed_(seed) {}

  std::vector<Mutation> list() {
    std::vector<NodeProto*> nodes;
    collect(*seed_.mutable_graph(), nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      attributes(i, *nodes[i]);
      absent_attributes(i, *nodes[i]);
      arity(i, *nodes[i]);
    }
    for (int i = 0; i < seed_.graph().initializer_size(); ++i) constant(i);
    types();
    versions();
    return std::move(list_);
  }

 private:
  void add(std::string name, std::function<void(ModelProto&)> apply) {
    list_.push_back({std::move(name), std::move(apply)});
  }
  void at_node(std::size_t i, const NodeProto& node, const std::string& what,
               std::function<void(NodeProto&)> edit) {
    add(fmt::format("node {} ({}): {}", i, node.op_type(), what),
        [i, edit = std::move(edit)](ModelProto& m) { edit(node_at(m, i)); });
  }

  void attributes(std::size_t i, const NodeProto& node) {
    for (int k = 0; k < node.attribute_size(); ++k) {
      const AttributeProto& a = node.attribute(k);
      const auto edit = [&](const std::string& what, std::function<void(AttributeProto&)> f) {
        at_node(i, node, a.name() + what,
                [k, f = std::move(f)](NodeProto& n) { f(*n.mutable_attribute(k)); });
      };
      values(a, edit);
      for (const char kind : {'i', 'I', 'f', 'F', 's', 'S', 't', 'g'})
        edit(fmt::format(" of kind {}", kind), [kind](AttributeProto& x) { set_kind(x, kind, 1); });
      edit(" of no kind", [](AttributeProto& x) { x.clear_type(); });
      edit(" under another name", [](AttributeProto& x) { x.set_name("odd"); });
      at_node(i, node, a.name() + " dropped",
              [k](NodeProto& n) { n.mutable_attribute()->DeleteSubrange(k, 1); });
      at_node(i, node, a.name() + " twice",
              [k](NodeProto& n) { *n.add_attribute() = AttributeProto(n.attribute(k)); });
    }
  }

  template <typename F>
  void values(const AttributeProto& a, F edit) {
    if (a.type() == AttributeProto::INT)
      for (const std::int64_t v : odd_integers)
        edit(fmt::format(" = {}", v), [v](AttributeProto& x) { x.set_i(v); });
    if (a.type() == AttributeProto::INTS) {
      for (const std::int64_t v : odd_integers)
        edit(fmt::format(" = all {}", v), [v](AttributeProto& x) {
          for (auto& e : *x.mutable_ints()) e = v;
        });
      edit(" longer", [](AttributeProto& x) { x.add_ints(1); });
      edit(" shorter", [](AttributeProto& x) {
        if (x.ints_size() > 0) x.mutable_ints()->RemoveLast();
      });
      edit(" empty", [](AttributeProto& x) { x.clear_ints(); });
      edit(" of 70 entries", [](AttributeProto& x) {
        while (x.ints_size() < 70) x.add_ints(1);
      });
    }
    if (a.type() == AttributeProto::FLOAT)
      for (const float v : odd_floats)
        edit(fmt::format(" = {}", v), [v](AttributeProto& x) { x.set_f(v); });
    if (a.type() == AttributeProto::FLOATS)
      edit(" longer", [](AttributeProto& x) { x.add_floats(-1); });
    if (a.type() == AttributeProto::STRING)
      for (const char* v : {"", "odd"})
        edit(fmt::format(" = '{}'", v), [v](AttributeProto& x) { x.set_s(v); });
  }

  const OpSchema* schema(const NodeProto& node) const {
    const OpSchema* newest = nullptr;
    for (const auto& import : seed_.opset_import())
      if (import.domain() == node.domain())
        for (const OpSchema& s : op_schemas(node.domain() == "ai.onnx" ? "" : node.domain()))
          if (s.op == node.op_type() && s.since <= import.version()) newest = &s;
    return newest;
  }

  void absent_attributes(std::size_t i, const NodeProto& node) {
    std::set<std::string> there = {};
    for (const auto& a : node.attribute()) there.insert(a.name());
    const auto give = [&](const std::string& name, char kind, std::int64_t value) {
      at_node(i, node, fmt::format("{} given as {} {}", name, kind, value),
              [name, kind, value](NodeProto& n) {
                AttributeProto& a = *n.add_attribute();
                a.set_name(name);
                set_kind(a, kind, value);
              });
    };
    give("odd", 'i', 1);
    const OpSchema* s = schema(node);
    if (s == nullptr) return;
    for (const AttributeSchema& a : s->attributes)
      if (!there.contains(std::string(a.name)))
        for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{2}, longest})
          give(std::string(a.name), a.kind, v);
  }

  // --- Inputs, outputs, operators ---

  void arity(std::size_t i, const NodeProto& node) {
    for (int k = 0; k < node.input_size(); ++k)
      at_node(i, node, fmt::format("input {} left out", k),
              [k](NodeProto& n) { n.set_input(k, ""); });
    if (node.input_size() > 0) {
      at_node(i, node, "no inputs", [](NodeProto& n) { n.clear_input(); });
      at_node(i, node, "last input dropped", [](NodeProto& n) { n.mutable_input()->RemoveLast(); });
      at_node(i, node, "one input more",
              [](NodeProto& n) { n.add_input(std::string(n.input(0))); });
    }
    if (node.input_size() > 1)
      at_node(i, node, "inputs swapped",
              [](NodeProto& n) { n.mutable_input()->SwapElements(0, 1); });
    for (int k = 0; k < node.output_size(); ++k)
      at_node(i, node, fmt::format("output {} left out", k),
              [k](NodeProto& n) { n.set_output(k, ""); });
    at_node(i, node, "three outputs more", [](NodeProto& n) {
      for (int k = 0; k < 3; ++k) n.add_output(fmt::format("more{}", k));
    });
    at_node(i, node, "no outputs", [](NodeProto& n) { n.clear_output(); });
    for (const char* op : {"Conv", "LSTM", "Concat", "Resize", "Nothing", ""})
      at_node(i, node, fmt::format("becomes '{}'", op), [op](NodeProto& n) { n.set_op_type(op); });
    at_node(i, node, "of an odd domain", [](NodeProto& n) { n.set_domain("odd"); });
  }

  // --- Constants ---

  void constant(int i) {
    const TensorProto& t = seed_.graph().initializer(i);
    const auto edit = [&](const std::string& what, std::function<void(TensorProto&)> f) {
      add(fmt::format("constant '{}': {}", t.name(), what),
          [i, f = std::move(f)](ModelProto& m) { f(*m.mutable_graph()->mutable_initializer(i)); });
    };
    reshape(t, edit);
    edit("one element more", [](TensorProto& x) { x.add_dims(2); });
    edit("of no type", [](TensorProto& x) { x.set_data_type(0); });
    for (const int type : {1, 3, 6, 7, 9, 10, 11})
      edit(fmt::format("of type {} with the same bytes", type),
           [type](TensorProto& x) { x.set_data_type(type); });
    edit("of the values of a string", [](TensorProto& x) {
      x.clear_raw_data();
      x.add_string_data("odd");
    });
    if (t.data_type() == TensorProto::INT64 && !t.raw_data().empty())
      for (const std::int64_t v : odd_integers)
        edit(fmt::format("all {}", v), [v](TensorProto& x) {
          for (std::size_t k = 0; k + 8 <= x.raw_data().size(); k += 8)
            x.mutable_raw_data()->replace(k, 8, reinterpret_cast<const char*>(&v), 8);
        });
    if (t.data_type() == TensorProto::FLOAT && !t.raw_data().empty())
      for (const float v : odd_floats)
        edit(fmt::format("all {}", v), [v](TensorProto& x) {
          for (std::size_t k = 0; k + 4 <= x.raw_data().size(); k += 4)
            x.mutable_raw_data()->replace(k, 4, reinterpret_cast<const char*>(&v), 4);
        });
  }

  // Shapes that the data fit.
  template <typename F>
  static void reshape(const TensorProto& t, F edit) {
    const std::int64_t count = count_of(t.dims());
    const auto shaped = [&](const std::string& what, std::vector<std::int64_t> dims) {
      edit(what, [dims](TensorProto& x) { x.mutable_dims()->Assign(dims.begin(), dims.end()); });
    };
    shaped("flat", {count});
    shaped("a row", {1, count});
    shaped("a column", {count, 1});
    shaped("of three axes", {1, count, 1});
    shaped("of five axes", {1, 1, count, 1, 1});
    std::vector<std::int64_t> more(t.dims().begin(), t.dims().end());
    more.push_back(1);
    shaped("one axis more", more);
    const auto cut = [&](const std::string& what, std::vector<std::int64_t> dims) {
      edit(what, [dims](TensorProto& x) {
        const std::int64_t kept = count_of(dims), all = count_of(x.dims());
        if (all > 0 && 0 <= kept && kept <= all && !x.raw_data().empty())
          x.mutable_raw_data()->resize(x.raw_data().size() / static_cast<std::size_t>(all) *
                                       static_cast<std::size_t>(kept));
        x.mutable_dims()->Assign(dims.begin(), dims.end());
      });
    };
    cut("a scalar", {});
    cut("empty", {0});
    cut("empty with a long axis", {0, std::int64_t{1} << 40});
    if (t.dims_size() > 1) {
      std::vector<std::int64_t> none(t.dims().begin(), t.dims().end());
      none[0] = 0;
      cut("without its first axis' elements", none);
      none.assign(t.dims().begin() + 1, t.dims().end());
      cut("one axis less", none);
    }
  }

  // --- What the model states ---

  void types() {
    const auto edit = [&](const char* list, int i, const std::string& what,
                          std::function<void(onnx::ValueInfoProto&)> f) {
      const std::string where = list;
      add(fmt::format("{} {}: {}", where, i, what), [where, i, f = std::move(f)](ModelProto& m) {
        GraphProto& g = *m.mutable_graph();
        f(where == "input"    ? *g.mutable_input(i)
          : where == "output" ? *g.mutable_output(i)
                              : *g.mutable_value_info(i));
      });
    };
    const auto all = [&](const char* list, int count) {
      for (int i = 0; i < count; ++i) {
        edit(list, i, "no type", [](auto& v) { v.clear_type(); });
        edit(list, i, "no shape",
             [](auto& v) { v.mutable_type()->mutable_tensor_type()->clear_shape(); });
        for (const int type : {0, 3, 7, 8, 9, 10, 77})
          edit(list, i, fmt::format("type {}", type),
               [type](auto& v) { v.mutable_type()->mutable_tensor_type()->set_elem_type(type); });
        edit(list, i, "a scalar", [](auto& v) {
          v.mutable_type()->mutable_tensor_type()->mutable_shape()->clear_dim();
        });
        for (const std::int64_t d : {std::int64_t{0}, std::int64_t{-7}, std::int64_t{3}, longest})
          edit(list, i, fmt::format("all lengths {}", d), [d](auto& v) {
            for (auto& dim :
                 *v.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
              dim.set_dim_value(d);
          });
        edit(list, i, "one axis more", [](auto& v) {
          v.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(2);
        });
        edit(list, i, "named as another", [](auto& v) { v.set_name("odd"); });
        edit(list, i, "without a name", [](auto& v) { v.clear_name(); });
      }
    };
    all("input", seed_.graph().input_size());
    all("output", seed_.graph().output_size());
    all("value", seed_.graph().value_info_size());
    add("an output twice", [](ModelProto& m) {
      if (m.graph().output_size() > 0)
        *m.mutable_graph()->add_output() = onnx::ValueInfoProto(m.graph().output(0));
    });
    add("no outputs", [](ModelProto& m) { m.mutable_graph()->clear_output(); });
    add("no inputs", [](ModelProto& m) { m.mutable_graph()->clear_input(); });
    add("nodes reversed", [](ModelProto& m) {
      auto& nodes = *m.mutable_graph()->mutable_node();
      for (int i = 0; i < nodes.size() / 2; ++i) nodes.SwapElements(i, nodes.size() - 1 - i);
    });
    add("a node twice", [](ModelProto& m) {
      if (m.graph().node_size() > 0) *m.mutable_graph()->add_node() = NodeProto(m.graph().node(0));
    });
  }

  void versions() {
    for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1},
                                 std::int64_t{7}, std::int64_t{12}, std::int64_t{999}, longest}) {
      add(fmt::format("IR {}", v), [v](ModelProto& m) { m.set_ir_version(v); });
      add(fmt::format("opset {}", v), [v](ModelProto& m) {
        for (auto& import : *m.mutable_opset_import()) import.set_version(v);
      });
    }
    add("no imports", [](ModelProto& m) { m.clear_opset_import(); });
    add("imports of an odd domain", [](ModelProto& m) {
      for (auto& import : *m.mutable_opset_import()) import.set_domain("odd");
    });
  }

  ModelProto seed_;
  std::vector<Mutation> list_;
};

}  // namespace

std::vector<Mutation> mutations_of(const onnx::ModelProto& seed) { return Lister(seed).list(); }

}  // namespace intaglio::testing
