#include "calibration/data/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace intaglio {
namespace {

std::string text_of(Size size) { return fmt::format("{}x{}", size.width, size.height); }

Region centred(Size inner, Size outer) {
  return {(outer.width - inner.width) / 2, (outer.height - inner.height) / 2, inner};
}

// The smallest size of the same aspect that covers `least`, rounded half to even.
Size covering(Size least, Size image) {
  const double w = image.width, h = image.height;
  const auto side = [](double length) {
    return static_cast<int>(std::min(std::nearbyint(length), 1e9));
  };
  if (least.width * h >= least.height * w) return {least.width, side(h * least.width / w)};
  return {side(w * least.height / h), least.height};
}

int with_margin(int side) { return static_cast<int>(std::lround(side * 256.0 / 224.0)); }

// The largest size of the same aspect that fits into the box; whole-number arithmetic: the side that
// limits is exact.
Size fitting(Size box, Size image) {
  const std::int64_t w = image.width, h = image.height;
  if (box.width * h <= box.height * w)
    return {box.width, static_cast<int>(std::max<std::int64_t>(1, h * box.width / w))};
  return {static_cast<int>(std::max<std::int64_t>(1, w * box.height / h)), box.height};
}

// To a height, as wide as the aspect asks for, at most `most` (0: any width).
Size at_height(int height, int most, Size image) {
  const double width = std::min(std::nearbyint(double(image.width) * height / image.height), 1e9);
  const int wanted = std::max(1, static_cast<int>(width));
  return {most > 0 ? std::min(most, wanted) : wanted, height};
}

// The image scaled to `fit`, on a box filled with `pad`.
Image padded(const Image& image, Size fit, Size box, bool centred, int pad) {
  const Image inner = resize(image, fit, {0, 0, fit});
  const int left = centred ? (box.width - fit.width) / 2 : 0,
            top = centred ? (box.height - fit.height) / 2 : 0;
  Image result{box.width, box.height, image.channels, {}};
  const auto row = static_cast<std::size_t>(box.width * image.channels);
  const auto row_in = static_cast<std::ptrdiff_t>(fit.width * image.channels);
  result.pixels.assign(row * static_cast<std::size_t>(box.height), static_cast<std::uint8_t>(pad));
  for (int y = 0; y < fit.height; ++y)
    std::copy_n(inner.pixels.begin() + y * row_in, row_in,
                result.pixels.begin() + static_cast<std::ptrdiff_t>(row) * (y + top) +
                    left * image.channels);
  return result;
}

// Whether every value of a table is a value of an integer type.
bool holds(DType type, std::span<const float> values) {
  return visit_dtype(type, [&](auto zero) {
    using T = decltype(zero);
    return std::all_of(values.begin(), values.end(), [](float v) {
      return v == std::nearbyint(v) && v >= static_cast<float>(std::numeric_limits<T>::lowest()) &&
             v <= static_cast<float>(std::numeric_limits<T>::max());
    });
  });
}

// Pixels as codes: as they are, or less 128.
std::string raw_remedy(DType dtype, const PreprocessRecipe& recipe) {
  if (dtype == DType::s8 && recipe.name == "raw")
    return "Give `mean 128`, too: pixels become codes from -128 to 127.";
  return fmt::format("Use a recipe whose values the input can hold, such as {}.",
                     dtype == DType::s8 ? "`preprocess raw` with `mean 128`" : "`preprocess raw`");
}

}  // namespace

Preprocessor::Preprocessor(const PreprocessRecipe& recipe, const FeedType& feed)
    : recipe_(recipe), input_(feed.text()), dtype_(feed.dtype) {
  if (feed.rank() != 3 && feed.rank() != 4)
    throw Error(Code::data, fmt::format("{}: takes no images: its rank is not 3 or 4", input_),
                "Give its data as .npy, .npz or .pb files.");
  dims_ = *feed.dims;
  batched_ = dims_.size() == 4;
  if (batched_ && dims_[0].known() && dims_[0].value != 1)
    throw Error(
        Code::data, fmt::format("{}: takes {} images at a time", input_, dims_[0].value),
        "Export the model with a batch of 1 or a dynamic one, or give arrays of that batch.");
  if (batched_) dims_.erase(dims_.begin());
  settle_layout();
  settle_crop();
  fill_tables();
}

void Preprocessor::settle_layout() {
  const auto is_channels = [](const Dim& d) {
    return d.value == 1 || d.value == 3 || d.value == 4;
  };
  if (recipe_.layout == ImageLayout::automatic) {
    if (is_channels(dims_[0]) || (!dims_[0].known() && dims_[2].known() && !is_channels(dims_[2])))
      recipe_.layout = ImageLayout::nchw;
    else if (is_channels(dims_[2]) || (!dims_[2].known() && dims_[0].known()))
      recipe_.layout = ImageLayout::nhwc;
    else
      throw Error(Code::data, fmt::format("{}: cannot tell which axis holds the channels", input_),
                  "Give `layout NCHW` or `layout NHWC` if it takes images, arrays otherwise.");
  }
  const bool nchw = recipe_.layout == ImageLayout::nchw;
  const Dim& channels = nchw ? dims_[0] : dims_[2];
  height_ = dims_[nchw ? 1 : 0].value;
  width_ = dims_[nchw ? 2 : 1].value;
  const int made = recipe_.channels == Channels::gray ? 1 : 3;
  if (channels.known() && channels.value != made)
    throw Error(Code::config,
                fmt::format("{}: takes {} channels, the recipe '{}' gives {}", input_,
                            channels.value, recipe_.name, made),
                channels.value == 1   ? "Give `channels GRAY`."
                : channels.value == 3 ? "Give `channels RGB` or `channels BGR`."
                                      : "Check `layout`, or give arrays instead of images.");
}

void Preprocessor::settle_crop() {
  const bool fixed = height_ > 0 && width_ > 0;
  if (!recipe_.crop && fixed)
    recipe_.crop = Size{static_cast<int>(width_), static_cast<int>(height_)};
  const auto fits = [](std::int64_t known, int side) { return known < 0 || known == side; };
  if (recipe_.crop && !(fits(width_, recipe_.crop->width) && fits(height_, recipe_.crop->height)))
    throw Error(Code::config,
                fmt::format("{}: the crop {} is not its size", input_, text_of(*recipe_.crop)),
                "Leave `crop` out to take the size of the model's input.");
  if (recipe_.letterbox) {
    if (recipe_.resize.mode != Resize::Mode::automatic)
      throw Error(Code::config, "letterbox and resize exclude each other",
                  "Leave `resize` out; `crop` gives the size of the box.");
    if (!recipe_.crop)
      throw Error(Code::config, fmt::format("{}: the letterbox needs a size", input_),
                  "Give `crop WxH`.");
    return;
  }
  if (recipe_.resize.mode == Resize::Mode::height) {
    if (height_ > 0 && height_ != recipe_.resize.height)
      throw Error(Code::config,
                  fmt::format("{}: the lines are {} high", input_, recipe_.resize.height),
                  fmt::format("Give `resize x{}`.", height_));
    return;
  }
  if (recipe_.resize.mode == Resize::Mode::automatic && !recipe_.crop)
    throw Error(
        Code::config, fmt::format("{}: its size is dynamic", input_),
        "Give `crop N`, or `resize WxH` to feed images whole, or `resize none`; for lines of "
        "text `preprocess text-line`.");
  default_margin_ = recipe_.resize.mode == Resize::Mode::automatic;
  if (default_margin_ && recipe_.crop->width == recipe_.crop->height)
    recipe_.resize = {.mode = Resize::Mode::shorter, .shorter = with_margin(recipe_.crop->width)};
}

void Preprocessor::fill_tables() {
  tables_.resize(recipe_.channels == Channels::gray ? 1 : 3);
  for (const auto* values : {&recipe_.mean, &recipe_.deviation})
    if (values->size() != 1 && values->size() != tables_.size())
      throw Error(Code::config,
                  fmt::format("the recipe '{}' has {} channels and {} means or deviations",
                              recipe_.name, tables_.size(), values->size()),
                  "Give one number, or one for each channel.");
  for (std::size_t c = 0; c < tables_.size(); ++c) {
    const double mean = recipe_.mean[recipe_.mean.size() == 1 ? 0 : c];
    const double deviation = recipe_.deviation[recipe_.deviation.size() == 1 ? 0 : c];
    for (int pixel = 0; pixel < 256; ++pixel)
      tables_[c][pixel] = static_cast<float>((pixel * recipe_.scale - mean) / deviation);
    if (is_float(dtype_) || dtype_ == DType::undefined || holds(dtype_, tables_[c])) continue;
    throw Error(Code::config,
                fmt::format("{}: takes {}, the recipe '{}' gives {} to {}", input_, name_of(dtype_),
                            recipe_.name, tables_[c].front(), tables_[c].back()),
                raw_remedy(dtype_, recipe_));
  }
}

Size Preprocessor::resized(Size image) const {
  const Resize& rule = recipe_.resize;
  if (recipe_.letterbox) return fitting(*recipe_.crop, image);
  switch (rule.mode) {
    case Resize::Mode::none:
      return image;
    case Resize::Mode::exact:
      return rule.exact;
    case Resize::Mode::height:
      return at_height(rule.height, recipe_.crop ? recipe_.crop->width : 0, image);
    case Resize::Mode::shorter:
      return covering({rule.shorter, rule.shorter}, image);
    case Resize::Mode::automatic:
      break;
  }
  return covering({with_margin(recipe_.crop->width), with_margin(recipe_.crop->height)}, image);
}

std::optional<std::string> Preprocessor::remark() const {
  if (!*enlarged_) return std::nullopt;
  const Size size{recipe_.crop->width, recipe_.crop->height};
  return fmt::format(
      "{}: images of its size are enlarged to {} and cropped; `resize none` takes them as they are",
      input_, text_of(resized(size)));
}

Image Preprocessor::arranged(const Image& image) const {
  const Size from{image.width, image.height}, to = resized(from);
  if (recipe_.letterbox || (recipe_.resize.mode == Resize::Mode::height && recipe_.crop))
    return padded(image, to, *recipe_.crop, recipe_.centred, recipe_.pad);
  const Size kept = recipe_.crop.value_or(to);
  if (default_margin_ && from == Size{recipe_.crop->width, recipe_.crop->height}) *enlarged_ = true;
  if (std::int64_t{to.width} * to.height > max_image_pixels)
    throw Error(Code::data,
                fmt::format("{} pixels become {}: too large", text_of(from), text_of(to)));
  if (kept.width > to.width || kept.height > to.height)
    throw Error(Code::data, fmt::format("{} pixels after resizing, the crop is {}", text_of(to),
                                        text_of(kept)));
  if ((height_ >= 0 && height_ != kept.height) || (width_ >= 0 && width_ != kept.width))
    throw Error(Code::data,
                fmt::format("{} pixels after resizing do not fit {}", text_of(kept), input_));
  return resize(image, to, centred(kept, to));
}

Tensor Preprocessor::operator()(const Image& image) const {
  const bool gray = recipe_.channels == Channels::gray;
  const Image ready = arranged(gray ? to_gray(image) : image);
  const std::size_t channels = tables_.size(), pixels = ready.pixels.size() / channels;
  const bool nchw = recipe_.layout == ImageLayout::nchw;
  Shape shape{ready.height, ready.width};
  shape.insert(nchw ? shape.begin() : shape.end(), static_cast<std::int64_t>(channels));
  if (batched_) shape.insert(shape.begin(), 1);
  Tensor tensor(DType::f32, std::move(shape));
  const auto out = tensor.mutate<float>();
  for (std::size_t c = 0; c < channels; ++c) {
    const std::uint8_t* in =
        &ready.pixels[recipe_.channels == Channels::bgr ? channels - 1 - c : c];
    float* to = out.data() + c * (nchw ? pixels : 1);
    const std::size_t step = nchw ? 1 : channels;
    for (std::size_t i = 0; i < pixels; ++i) to[i * step] = tables_[c][in[i * channels]];
  }
  return dtype_ == DType::f32 || dtype_ == DType::undefined ? tensor : convert(tensor, dtype_);
}

}  // namespace intaglio
