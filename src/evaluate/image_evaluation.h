// SPDX-License-Identifier: MIT
// What a run on images measures of its networks, and its sample grids.
#pragma once

#include <optional>

#include "data/image_file.h"
#include "evaluate/entropy_estimates.h"
#include "evaluate/jacobian_monitor.h"
#include "metrics/shape_templates.h"
#include "sampling/sampler.h"
#include "train/evaluation.h"
#include "train/method.h"
#include "train/run_folder.h"

namespace ebm {

struct ImageEvaluationOptions {
  int64_t grid = 8;                ///< images on each side of a sample grid
  int64_t held_out_images = 1024;  ///< at most
  int64_t jacobian_points = 16;    ///< latent points where the generator's Jacobian is measured; 0: none
  int64_t shape_samples = 0;       ///< of a run on shapes: samples whose modes are counted; 0: no such run
  std::optional<EntropyEstimateOptions> entropy = {};  ///< where estimates of the entropy are compared
};

class ImageEvaluation final : public Evaluation {
 public:
  /// Of the model that `method` trains. `held_out` (null: none, or of a run on shapes others of them) is read
  /// once, here. Grids go to
  /// `folder`/samples, the newest to `folder`/samples.png, those of another sampler to samples_NAME.png. Throws
  /// Error, UsageError where the entropy's estimates are wanted of a generator with noise.
  ImageEvaluation(Method& method, const ImageFile* held_out, const ImageEvaluationOptions& options,
                  const RunFolder& folder);

  /// energy_held_out   mean E of held-out images; NaN without any
  /// energy_samples    mean E of the samples on the grid, and energy_samples_NAME of another sampler's
  /// modes, kl, high_quality   of a run on shapes (metrics/shape_templates.h), likewise
  /// log_det, d_log_s1, condition, anisotropy   of the generator's Jacobian (evaluate/jacobian_monitor.h), of its
  /// means where it has noise
  /// and the exact measures of the method, at the same number of points; the estimates of the entropy
  /// (evaluate/entropy_estimates.h).
  /// Both networks with their running statistics, the samples from the same latent points each time.
  std::vector<std::string> names() const override;
  std::vector<double> evaluate(int64_t iteration) override;

  /// Of the first sampler at the last evaluate(), of a run on shapes.
  const std::optional<ShapeCoverage>& shapes() const { return shapes_; }

 private:
  void watch_jacobian(int64_t points);
  void watch_shapes(Method& method, const ImageEvaluationOptions& options);
  double mean_energy(const std::vector<float>& images) const;

  Method& method_;
  int64_t grid_;
  const RunFolder& folder_;
  std::unique_ptr<EnergyFunction> energy_;
  std::vector<NamedSampler> samplers_;
  std::optional<JacobianMonitor> jacobian_;
  std::vector<Measure> measures_;
  std::optional<EntropyEstimates> entropy_;
  std::optional<ShapeTemplates> templates_;
  std::optional<ShapeCoverage> shapes_;
  std::vector<float> latents_, jacobian_latents_, shape_latents_, held_out_;  // B x d thrice, B x H x W x C
};

}  // namespace ebm
