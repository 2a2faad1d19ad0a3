// SPDX-License-Identifier: MIT
// What a toy run measures of its networks, and its pictures (section 5.2; docs/method.md, "Evaluation").
#pragma once

#include <filesystem>

#include "data/toy.h"
#include "plot/figure.h"
#include "train/game.h"
#include "train/trainer.h"

namespace ebm {

struct ToyEvaluationOptions {
  int64_t grid = 800;      ///< cells along each axis of [-4, 4]^2
  int64_t points = 20000;  ///< held-out data points, and samples of the generator, at least
};

/// The panels of a toy figure: data, samples of the generator, p(x) at the paper's temperature 0.1, log p(x).
struct ToyPanels {
  Panel data, samples, density, log_density;
};

class ToyEvaluation final : public Evaluation {
 public:
  /// For the networks of `game`. Pictures go to `folder`/samples, and the newest to `folder`/density.png.
  ToyEvaluation(Game& game, ToyDataset dataset, const ToyEvaluationOptions& options, const RunFolder& folder,
                std::string caption);

  /// log_z                      log of the normaliser on the grid
  /// log_likelihood             mean log p of held-out data
  /// kl_data_model              KL(data || model), NaN where the data's density is not known
  /// modes, high_quality        of the generator's samples (metrics/toy_density.h), NaN likewise
  /// share_bound_above_entropy  share of B samples whose lower bound exceeds 1/2 log det J^T J
  std::vector<std::string> names() const override;
  /// In that order; also draws the picture.
  std::vector<double> evaluate(int64_t iteration) override;

  /// Of the networks at the last evaluate().
  const ToyPanels& panels() const { return panels_; }

 private:
  std::vector<float> energies(const Tensor& points);
  double share_bound_above_entropy();
  void draw_pictures(int64_t iteration) const;

  Game& game_;
  Kernels& kernels_;
  ToyDataset dataset_;
  int64_t grid_;
  const RunFolder& folder_;
  std::string caption_;

  Buffer<uint64_t> draw_;  // the number of the draw, always 0: every evaluation has the same points
  Tensor plane_, held_out_, latents_, samples_, values_;
  std::unique_ptr<Trace> energy_trace_, generator_trace_;  // for grid_ rows at a time
  std::unique_ptr<LowerBound> bound_, entropy_;            // null without an entropy term
  Tensor z_, v0_, p0_, e_;
  ToyPanels panels_;
};

}  // namespace ebm
