// The only way to oneDNN (2.6 and later 2.x): one engine, a stream per thread, descriptions of our
// tensors, and a cache of what was built for a shape. Kernels of this folder run on the calling
// thread alone; samples are what is spread over threads.
#pragma once

#include <omp.h>

#include <dnnl.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "lib/exec/post_op.h"
#include "lib/tensor/tensor.h"

namespace intaglio::onednn {

inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// Of this thread, which from then on gives oneDNN no helpers.
inline dnnl::stream& stream() {
  thread_local dnnl::stream mine = [] {
    omp_set_num_threads(1);
    return dnnl::stream(engine());
  }();
  return mine;
}

// f32 values of a shape, with channels innermost or in row-major order.
inline dnnl::memory::desc describe(const Shape& shape, Layout layout) {
  Shape strides = strides_of(shape);
  if (layout == Layout::channels_last) {
    const std::int64_t channels = shape[1];
    for (std::size_t i = 2; i < shape.size(); ++i)
      strides[i] = channels * product(shape, i + 1, shape.size());
    strides[1] = 1;
  }
  return {shape, dnnl::memory::data_type::f32, strides};
}

// The same with the layout left to oneDNN: for weights, which are reordered once.
inline dnnl::memory::desc any_layout(const Shape& shape) {
  return {shape, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

inline dnnl::memory bytes_of(const dnnl::memory::desc& desc, const void* data) {
  return {desc, engine(), const_cast<void*>(data)};
}

// Memory for intermediate results comes from the buffers of the run.
inline dnnl::memory scratchpad(const dnnl::memory::desc& desc, Tensor& holder) {
  holder = Tensor(DType::u8, {static_cast<std::int64_t>(desc.get_size())});
  return {desc, engine(), holder.raw_mutate()};
}

// oneDNN's plain loops, there for completeness, are slower than ours.
inline bool is_reference(const std::string& impl) { return impl.find("ref") != std::string::npos; }

// --- What differs between versions 2 and 3 ---

// Version 2 multiplies the result with a number, too.
inline void append(dnnl::post_ops& list, dnnl::algorithm operation, float alpha = 0,
                   float beta = 0) {
#if DNNL_VERSION_MAJOR < 3
  list.append_eltwise(1.0f, operation, alpha, beta);
#else
  list.append_eltwise(operation, alpha, beta);
#endif
}

// Version 2 describes an operation apart from how it is done.
template <typename Primitive, typename... Arguments>
typename Primitive::primitive_desc described(const dnnl::primitive_attr& attr,
                                             const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR < 3
  return {typename Primitive::desc(arguments...), attr, engine()};
#else
  return {engine(), arguments..., attr};
#endif
}

// Nothing when oneDNN lacks one of the operations. addends: descriptions of what `add` adds.
struct Attributes {
  dnnl::primitive_attr attr;
  bool complete = true;
};
inline Attributes attributes(const PostOps& ops, const dnnl::memory::desc& addend) {
  using Kind = PostOp::Kind;
  using dnnl::algorithm;
  Attributes result;
  dnnl::post_ops list;
  for (const PostOp& op : ops) {
    switch (op.kind) {
      case Kind::clip:
        if (op.alpha == 0 && op.beta > 3e38f) {
          append(list, algorithm::eltwise_relu);
        } else {
          append(list, algorithm::eltwise_clip_v2, op.alpha, op.beta);
        }
        break;
      case Kind::leaky_relu:
        append(list, algorithm::eltwise_relu, op.alpha);
        break;
      case Kind::sigmoid:
        append(list, algorithm::eltwise_logistic);
        break;
      case Kind::swish:
        append(list, algorithm::eltwise_swish, 1.0f);
        break;
      case Kind::tanh:
        append(list, algorithm::eltwise_tanh);
        break;
      case Kind::gelu:
        append(list, algorithm::eltwise_gelu_erf);
        break;
      case Kind::add:
        list.append_binary(algorithm::binary_add, addend);
        break;
      case Kind::hard_swish:
      case Kind::erf:
        result.complete = false;
        break;
    }
  }
  result.attr.set_post_ops(list);
  result.attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return result;
}

// What was built for each shape that came by; the oldest go when there are many.
template <typename T>
class ShapeCache {
 public:
  template <typename F>
  std::shared_ptr<const T> get(const Shape& shape, F build) const {
    {
      const std::shared_lock lock(mutex_);
      if (auto found = find(shape)) return found;
    }
    const std::unique_lock lock(mutex_);
    if (auto found = find(shape)) return found;
    if (entries_.size() == most) entries_.erase(entries_.begin());
    entries_.emplace_back(shape, build());
    return entries_.back().second;
  }

 private:
  static constexpr std::size_t most = 32;

  std::shared_ptr<const T> find(const Shape& shape) const {
    for (const auto& [known, value] : entries_)
      if (known == shape) return value;
    return nullptr;
  }

  mutable std::shared_mutex mutex_;
  mutable std::vector<std::pair<Shape, std::shared_ptr<const T>>> entries_;
};

}  // namespace intaglio::onednn
