// Applying a recipe: an image becomes the feed of one model input.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibration/data/feed.h"
#include "calibration/data/recipe.h"

namespace intaglio {

class Preprocessor {
 public:
  // Settles what the recipe leaves open from the type and the dimensions of the input (rank 4, or
  // rank 3 without a batch axis). The channel axis is the one of length 1, 3 or 4; NCHW when both
  // fit. Throws Code::data when the input takes no images, and Code::config when the recipe does
  // not fit it: another number of channels, a crop of another size, or values that an integer input
  // cannot hold.
  Preprocessor(const PreprocessRecipe& recipe, const FeedType& feed);

  // The recipe with its open parts settled: the layout, the crop (unless the input has a dynamic
  // height or width and the recipe no crop: then resized images are fed whole), and a square crop's
  // resize.
  const PreprocessRecipe& recipe() const { return recipe_; }

  // image: RGB. An image that has the size of the crop already, and is enlarged all the same
  // because the recipe does not say how to resize, is remarked on. Returns a row-major tensor of the
  // type of the input, with a batch axis of 1 if it has one. Throws Code::data, with the reason
  // alone, when this image does not fit. May run on many threads.
  Tensor operator()(const Image& image) const;

  // What people may want to know of the images that were prepared so far, as a warning; nullopt:
  // nothing.
  std::optional<std::string> remark() const;

  // What an image of a size is scaled to, before crop and padding.
  Size resized(Size image) const;

 private:
  void settle_layout();
  void settle_crop();
  void fill_tables();
  Image arranged(const Image& image) const;

  PreprocessRecipe recipe_;
  std::string input_;  // "input 'x' [N,3,224,224]", for messages
  Dims dims_;          // without the batch axis
  bool batched_;
  DType dtype_;
  std::int64_t height_ = -1, width_ = -1;  // of the input; -1: dynamic
  bool default_margin_ = false;            // images are enlarged because nobody said otherwise
  std::shared_ptr<std::atomic<bool>> enlarged_ = std::make_shared<std::atomic<bool>>(false);
  std::vector<std::array<float, 256>> tables_;  // per channel as fed: pixel -> value
};

}  // namespace intaglio
