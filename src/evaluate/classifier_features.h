// SPDX-License-Identifier: MIT
// Features of images by a classifier that was trained here: what its last hidden layer gives. They rank models
// by the same formulas as Inception's, and give other numbers, which nobody else's can be compared with.
#pragma once

#include <filesystem>

#include "evaluate/image_features.h"
#include "io/hdf5_file.h"
#include "layers/network.h"

namespace ebm {

class ClassifierFeatures final : public ImageFeatures {
 public:
  /// Of the classifier in a file (evaluate/image_classifier.h). `kernels` must outlive it. Throws Error.
  ClassifierFeatures(Kernels& kernels, const std::filesystem::path& file);

  /// The file's name, the classifier's accuracy and a hash of its parameters.
  std::string name() const override { return name_; }
  int64_t features() const override { return body_.output().size(); }
  int64_t classes() const override { return head_.output().size(); }
  /// Throws Error on images that the classifier is not of.
  void compute(const PixelValues& images, int64_t n, const Features& shape, float* features,
               float* logits) override;

 private:
  template <class Pixel>
  void compute_pixels(std::span<const Pixel> images, int64_t n, const Features& shape, float* features,
                      float* logits);
  ClassifierFeatures(Kernels& kernels, const Hdf5File& file);

  static constexpr int64_t chunk_ = 100;  // images at a time
  std::string name_;
  Network body_, head_;
  std::unique_ptr<Trace> body_trace_, head_trace_;
  Tensor images_, features_, logits_;  // of a chunk
};

}  // namespace ebm
