// What exporters write into the metadata of a model about its images and its answers.
//
//   ultralytics   task, stride, imgsz, names: detectors are fed letterboxed images, centred, RGB,
//                 x/255; classifiers a centre crop
//   PaddleOCR     character (a line for each class, as RapidOCR stores it): lines of text
//   timm, torchvision, transformers
//                 mean and std (or image_mean, image_std), with input_size, crop_size or size,
//                 crop_pct or resize_size, rescale_factor: RGB, x/255
//
// Lists may be JSON or Python: [640, 640], (0.485, 0.456, 0.406), {0: 'person', 1: 'bicycle'}.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "calibration/data/recipe.h"

namespace intaglio {

using Metadata = std::map<std::string, std::string>;

// nullopt: there is none, or it cannot be read.
std::optional<PreprocessRecipe> recipe_of_exporter(const Metadata& metadata);

// Names of classes by index; for recognizers the characters, by class. Empty: there are none.
std::map<std::int64_t, std::string> class_names_of_exporter(const Metadata& metadata);

}  // namespace intaglio
