// SPDX-License-Identifier: MIT
// Images to what inception scores, Frechet and kernel distances and precision-recall are computed from.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "evaluate/image_features.h"
#include "evaluate/image_resize.h"
#include "evaluate/inception_weights.h"
#include "models/inception.h"

namespace ebm {

struct InceptionOptions {
  Resize resize = Resize::tf;
  int64_t batch = 0;  ///< images at a time; 0: what suits the device
  /// Told after each batch; may throw to end it.
  std::function<void(int64_t done, int64_t images)> progress{};
  InceptionShape shape{};
};

class InceptionFeatures final : public ImageFeatures {
 public:
  /// `kernels` must outlive it. With Resize::tf logits are without the bias of the last layer, as inception
  /// scores are computed in TensorFlow and torch-fidelity; with the others they have it, as in the authors'
  /// code. Throws Error (read_inception_weights).
  InceptionFeatures(Kernels& kernels, const TorchFile& weights, InceptionOptions options);

  /// "inception (tf resize, logits without bias), weights SHA-256 6726825d..."; says where they are not the
  /// published ones.
  std::string name() const override;
  int64_t features() const override { return features_.output().size(); }
  int64_t classes() const override { return logits_.output().size(); }
  /// Images of one channel count as grey. Throws Error for other numbers of channels, for too few bytes, and
  /// when an answer is not finite.
  void compute(const PixelValues& images, int64_t n, const Features& shape, float* features,
               float* logits) override;

 private:
  template <class Pixel>
  void compute_pixels(std::span<const Pixel> images, int64_t n, const Features& shape, float* features,
                      float* logits);
  void take(const Tensor& from, int64_t rows, float* to) const;

  Kernels& kernels_;
  InceptionOptions options_;
  std::string checksum_;
  Network features_, logits_;
  std::unique_ptr<Trace> features_trace_, logits_trace_;
  Tensor x_, found_features_, found_logits_;  // of a batch
  std::optional<ImageResize> resize_;         // for the last shape of images
};

/// Where data/fetch.sh puts the weights, from the repository's root.
inline constexpr const char* inception_file = "data/inception/pt_inception-2015-12-05-6726825d.pth";

/// InceptionFeatures with the weights of a file. Throws Error, which says how to get them, when it is not
/// there.
std::unique_ptr<ImageFeatures> open_inception(Kernels& kernels, const std::filesystem::path& weights,
                                              InceptionOptions options);

}  // namespace ebm
