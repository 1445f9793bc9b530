// Operators that move, join, part and repeat values.
#include <fmt/format.h>

#include <algorithm>

#include "lib/tflite/op_table.h"

namespace intaglio::tflite {
namespace {

std::size_t axis_of(const Site& site, std::int64_t fallback) {
  return static_cast<std::size_t>(normalized_axis(
      site.node().attr_int("axis", fallback), static_cast<std::int64_t>(site.in_shape(0).size())));
}

std::vector<std::int64_t> in_stored_order(const std::vector<std::int64_t>& values,
                                          const Perm& perm) {
  return permuted(values, perm);
}

// --- Slice

struct Part {
  std::vector<std::int64_t> begin, end, stride;  // by axis of ONNX
};

Part part_of(const Site& site) {
  const Shape shape = site.in_shape(0), result = site.out_shape(0);
  const auto starts = site.needed_ints(1, "starts");
  std::vector<std::int64_t> axes(starts.size()), steps(starts.size(), 1);
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (site.has_input(3)) axes = site.needed_ints(3, "axes");
  if (site.has_input(4)) steps = site.needed_ints(4, "steps");
  Part part{std::vector<std::int64_t>(shape.size(), 0), shape,
            std::vector<std::int64_t>(shape.size(), 1)};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis =
        static_cast<std::size_t>(normalized_axis(axes[i], static_cast<std::int64_t>(shape.size())));
    const std::int64_t length = shape[axis], step = steps[i];
    const std::int64_t start = starts[i] < 0 ? starts[i] + length : starts[i];
    part.begin[axis] = std::clamp<std::int64_t>(start, 0, step > 0 ? length : length - 1);
    part.stride[axis] = step;
    part.end[axis] = part.begin[axis] + (result[axis] - 1) * step + (step > 0 ? 1 : -1);
  }
  return part;
}

// --- DepthToSpace

// The channels of mode CRD in the order in which TFLite wants them, that of DCR.
int as_dcr(Site& site, int image, std::int64_t block) {
  const TensorSpec spec = site.emitter().file().spec(image);
  const std::int64_t channels = spec.shape.back(), square = block * block;
  std::vector<std::int64_t> from;
  for (std::int64_t place = 0; place < square; ++place)
    for (std::int64_t c = 0; c < channels / square; ++c) from.push_back(c * square + place);
  const int to = site.emitter().like(image, spec.shape, "_reordered");
  fb::GatherOptionsT options;
  options.axis = 3;
  site.emit(fb::Op::GATHER, {image, site.emitter().ints(from)}, {to}, std::move(options));
  return to;
}

void require_image(Site& site) {
  if (site.in_shape(0).size() != 4)
    site.refuse(fmt::format("data of rank {}", site.in_shape(0).size()),
                "TFLite has it for images alone: rewrite the model.");
}

}  // namespace

void lower_concat(Site& site) {
  const std::size_t rank = site.out_shape(0).size();
  Perm perm = in_order(rank);
  for (std::size_t i = site.inputs(); i-- > 0;)
    if (const Perm order = site.in_order_of(i); order != in_order(rank)) perm = order;
  std::vector<int> in;
  for (std::size_t i = 0; i < site.inputs(); ++i) in.push_back(site.in_as_result(i, perm));
  fb::ConcatenationOptionsT options;
  options.axis = static_cast<std::int32_t>(stored_axis(perm, axis_of(site, 0)));
  site.emit(fb::Op::CONCATENATION, std::move(in), {site.out(0, perm)}, std::move(options));
}

void lower_split(Site& site) {
  const Perm perm = site.in_order_of(0);
  const std::size_t axis = axis_of(site, 0);
  const int in = site.in(0, perm);
  const int at = site.emitter().int_scalar(static_cast<std::int64_t>(stored_axis(perm, axis)));
  std::vector<std::int64_t> lengths;
  std::vector<int> out;
  for (std::size_t i = 0; i < site.outputs(); ++i) {
    if (site.node().output(i) == nullptr)
      site.refuse("a part that nobody takes", "Run a simplifier on the model first.");
    lengths.push_back(site.out_shape(i)[axis]);
    out.push_back(site.moved(i, perm));
  }
  const auto count = static_cast<std::int32_t>(out.size());
  if (std::ranges::adjacent_find(lengths, std::not_equal_to<>()) == lengths.end()) {
    fb::SplitOptionsT options;
    options.num_splits = count;
    return site.emit(fb::Op::SPLIT, {at, in}, std::move(out), std::move(options));
  }
  fb::SplitVOptionsT options;
  options.num_splits = count;
  site.emit(fb::Op::SPLIT_V, {in, site.emitter().ints(lengths), at}, std::move(out),
            std::move(options));
}

void lower_slice(Site& site) {
  const Perm perm = site.in_order_of(0);
  const Part part = part_of(site);
  const auto begin = in_stored_order(part.begin, perm), end = in_stored_order(part.end, perm);
  fb::StridedSliceOptionsT options;
  for (std::size_t i = 0; i < end.size(); ++i)
    if (end[i] < 0) options.end_mask |= 1 << i;  // down to the first element
  Emitter& e = site.emitter();
  const int in = site.in(0, perm);
  site.emit(fb::Op::STRIDED_SLICE,
            {in, e.ints(begin), e.ints(end), e.ints(in_stored_order(part.stride, perm))},
            {site.moved(0, perm)}, std::move(options));
}

void lower_pad(Site& site) {
  const Perm perm = site.in_order_of(0);
  const auto pads = site.needed_ints(1, "pads");
  const std::size_t rank = perm.size();
  if (site.has_input(3)) site.refuse("pads of named axes", "Export the model with opset 17.");
  std::vector<std::int32_t> table;
  for (const std::size_t axis : perm)
    for (const std::size_t at : {axis, axis + rank}) {
      if (pads.at(at) < 0) site.refuse("negative pads", "Rewrite the model with a Slice.");
      table.push_back(static_cast<std::int32_t>(pads.at(at)));
    }
  const int in = site.in(0, perm);
  const int paddings = site.emitter().file().add_constant(
      "paddings", Tensor::of<std::int32_t>({static_cast<std::int64_t>(rank), 2}, table));
  const std::string mode = site.node().attr_string("mode", "constant");
  if (mode == "reflect") {
    fb::MirrorPadOptionsT options;
    options.mode = fb::MirrorMode::REFLECT;
    return site.emit(fb::Op::MIRROR_PAD, {in, paddings}, {site.moved(0, perm)}, std::move(options));
  }
  if (mode != "constant") site.refuse(fmt::format("mode {}", mode), "Use constant or reflect.");
  const auto value = site.constant(2);
  if (site.has_input(2) && !value) site.needed_constant(2, "a value to pad with");
  if (!value || value->item<float>() == 0)
    return site.emit(fb::Op::PAD, {in, paddings}, {site.moved(0, perm)});
  site.emit(fb::Op::PADV2, {in, paddings, site.scalar_like(*value, in)}, {site.moved(0, perm)});
}

void lower_gather(Site& site) {
  const Perm perm = site.in_order_of(0);
  const std::size_t axis = axis_of(site, 0);
  const auto indices = site.needed_constant(1, "indices").to_vector<std::int64_t>();
  const Shape index_shape = site.in_shape(1);
  if (index_shape.size() > 1)
    site.refuse(fmt::format("indices of rank {}", index_shape.size()),
                "Rewrite it with indices in one row and a Reshape.");
  std::vector<std::int64_t> from;
  for (const std::int64_t index : indices)
    from.push_back(index < 0 ? index + site.in_shape(0)[axis] : index);
  Perm result = perm;
  if (index_shape.empty()) {  // the axis goes
    std::erase(result, axis);
    for (std::size_t& a : result) a -= a > axis ? 1 : 0;
  }
  fb::GatherOptionsT options;
  options.axis = static_cast<std::int32_t>(stored_axis(perm, axis));
  const int in = site.in(0, perm);
  const int at =
      index_shape.empty() ? site.emitter().int_scalar(from.front()) : site.emitter().ints(from);
  site.emit(fb::Op::GATHER, {in, at}, {site.moved(0, result)}, std::move(options));
}

void lower_expand(Site& site) {
  const Shape to = site.out_shape(0);
  const Perm own = site.in_order_of(0);
  const Perm perm = own.size() == to.size() ? own : in_order(to.size());
  const int in = site.in(0, perm);
  site.emit(fb::Op::BROADCAST_TO, {in, site.emitter().ints(permuted(to, perm))},
            {site.moved(0, perm)});
}

void lower_tile(Site& site) {
  const Perm perm = site.in_order_of(0);
  const auto repeats = site.needed_ints(1, "repeats");
  const int in = site.in(0, perm);
  site.emit(fb::Op::TILE, {in, site.emitter().ints(in_stored_order(repeats, perm))},
            {site.moved(0, perm)});
}

void lower_depth_to_space(Site& site) {
  require_image(site);
  const Perm perm = channels_last(4);
  const std::int64_t block = site.node().attr_int("blocksize");
  int in = site.in(0, perm);
  if (site.node().attr_string("mode", "DCR") == "CRD") in = as_dcr(site, in, block);
  fb::DepthToSpaceOptionsT options;
  options.block_size = static_cast<std::int32_t>(block);
  site.emit(fb::Op::DEPTH_TO_SPACE, {in}, {site.moved(0, perm)}, std::move(options));
}

void lower_space_to_depth(Site& site) {
  require_image(site);
  const Perm perm = channels_last(4);
  fb::SpaceToDepthOptionsT options;
  options.block_size = static_cast<std::int32_t>(site.node().attr_int("blocksize"));
  const int in = site.in(0, perm);
  site.emit(fb::Op::SPACE_TO_DEPTH, {in}, {site.moved(0, perm)}, std::move(options));
}

}  // namespace intaglio::tflite
