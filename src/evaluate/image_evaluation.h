// SPDX-License-Identifier: MIT
// What a run on images measures of its networks, and its sample grids.
#pragma once

#include <optional>

#include "data/image_file.h"
#include "sampling/image_sampler.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace ebm {

struct ImageEvaluationOptions {
  int64_t grid = 8;                ///< images on each side of a sample grid
  int64_t held_out_images = 1024;  ///< at most
};

class ImageEvaluation final : public Evaluation {
 public:
  /// For the networks of `game`. `held_out` (null: none) is read once, here. Grids go to
  /// `folder`/samples, the newest to `folder`/samples.png. Throws Error.
  ImageEvaluation(Game& game, const ImageFile* held_out, const ImageEvaluationOptions& options,
                  const RunFolder& folder);

  /// energy_held_out   mean E of held-out images; NaN without any
  /// energy_samples    mean E of the samples on the grid
  /// Both networks with their running statistics, the samples from the same latent points each time.
  std::vector<std::string> names() const override;
  std::vector<double> evaluate(int64_t iteration) override;

 private:
  double mean_energy(const std::vector<float>& images);

  Game& game_;
  int64_t grid_;
  const RunFolder& folder_;
  ImageSampler sampler_;
  std::vector<float> latents_, held_out_;  // B x d, B x H x W x C
  std::unique_ptr<Trace> energy_trace_;
  Tensor images_, energies_;  // of one chunk
};

}  // namespace ebm
