// SPDX-License-Identifier: MIT
// What a toy run measures of its networks, and its pictures (section 5.2; docs/method.md, "Evaluation").
#pragma once

#include <filesystem>
#include <optional>

#include "data/toy.h"
#include "evaluate/toy_bounds.h"
#include "plot/figure.h"
#include "train/evaluation.h"
#include "train/method.h"
#include "train/run_folder.h"

namespace ebm {

/// Points of a data set that training with this seed never draws, the same ones each time: N x 2.
std::vector<float> held_out_points(Kernels& kernels, ToyDataset dataset, int64_t points, uint64_t seed);

struct ToyEvaluationOptions {
  int64_t grid = 800;      ///< cells along each axis of [-4, 4]^2
  int64_t points = 20000;  ///< held-out data points, and samples of the generator, at least
  PictureFormat picture = PictureFormat::png;
};

/// The panels of a toy figure: data, samples of each sampler, p(x) at the paper's temperature 0.1, log p(x), and that
/// of the data in the same colours.
struct ToyPanels {
  Panel data;
  std::vector<Panel> samples;
  Panel density, log_density, truth;
};

class ToyEvaluation final : public Evaluation {
 public:
  /// Of the model that `method` trains. Pictures go to `folder`/samples, and the newest to `folder`/density.png
  /// (or another ending).
  ToyEvaluation(Method& method, ToyDataset dataset, const ToyEvaluationOptions& options,
                const RunFolder& folder, std::string caption);

  /// log_z                      log of the normaliser on the grid
  /// log_likelihood             mean log p of held-out data
  /// kl_data_model              KL(data || model)
  /// modes, high_quality        of the generator's samples (metrics/toy_density.h), NaN unless data are the 25
  ///                            Gaussians; with _NAME those of another sampler
  /// and, where z and G(z) are points of the plane (evaluate/toy_bounds.h; -log p in nats),
  ///   nll_lower, nll_importance, nll_upper   bounds of -log_likelihood
  ///   entropy_formula, entropy_samples, folding   the generator's entropy by its Jacobian, that of its samples,
  ///                                               and their difference
  /// and the exact measures of the method.
  std::vector<std::string> names() const override;
  /// In that order; also draws the picture.
  std::vector<double> evaluate(int64_t iteration) override;

  /// What the bounds around -log p were at the last evaluate(), a few lines; "" without a generator of the plane.
  std::string sandwich() const;
  /// Of the networks at the last evaluate().
  const ToyPanels& panels() const { return panels_; }

 private:
  void draw_pictures(int64_t iteration) const;

  ToyDataset dataset_;
  int64_t grid_;
  PictureFormat picture_;
  const RunFolder& folder_;
  std::string caption_;

  Kernels& kernels_;
  Network* energy_network_;
  Network* generator_;  // null unless z and G(z) are of the plane
  std::optional<ToyBounds> bounds_;
  std::unique_ptr<EnergyFunction> energy_;  // of grid_ rows at a time, as the samplers
  std::vector<NamedSampler> samplers_;
  std::vector<Measure> measures_;
  std::vector<float> plane_, held_out_, latents_;  // points of every evaluation
  Panel truth_;
  ToyPanels panels_;
};

}  // namespace ebm
