// SPDX-License-Identifier: MIT
#include "evaluate/toy_evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/toy_density.h"

namespace ebm {

namespace {

constexpr double picture_temperature = 0.1;
constexpr int64_t scattered = 2000;  // points of a picture's scatter plots
constexpr double not_there = std::numeric_limits<double>::quiet_NaN();

/// Noise streams of the evaluation, from Stream::evaluation on.
enum Purpose : uint32_t {
  held_out_data = 0,
  /* and 1 */ latents = 2,
  bound_z = 3,
  bound_v0,
  bound_p0,
  bound_e
};
uint32_t stream(Purpose purpose) {
  return static_cast<uint32_t>(Stream::evaluation) + purpose;
}

/// Some of the points, spread over the list: data sets list their parts one after the other.
std::vector<float> some_points(const std::vector<float>& points) {
  constexpr size_t step = 7919;  // a prime: no two of the picked points are the same
  const size_t n = points.size() / 2;
  std::vector<float> some;
  for (size_t i = 0; i < std::min<size_t>(n, scattered); ++i) {
    const size_t at = i * step % n;
    some.insert(some.end(), {points[2 * at], points[2 * at + 1]});
  }
  return some;
}

}  // namespace

ToyEvaluation::ToyEvaluation(Game& game, ToyDataset dataset, const ToyEvaluationOptions& options,
                             const RunFolder& folder, std::string caption)
    : game_(game),
      kernels_(game.kernels()),
      dataset_(dataset),
      grid_(options.grid),
      folder_(folder),
      caption_(std::move(caption)),
      draw_(kernels_, 1) {
  const int64_t points = (options.points + grid_ - 1) / grid_ * grid_;
  const Features& latent = game.generator().input();
  const uint64_t seed = game.options().seed;
  plane_ = Tensor(kernels_, grid_ * grid_, flat(2));
  plane_.upload(plane_grid(grid_));
  held_out_ = Tensor(kernels_, points, flat(2));
  ToyData(kernels_, dataset, points, seed, stream(held_out_data)).draw(draw_.data(), held_out_);
  latents_ = Tensor(kernels_, points, latent);
  kernels_.noise({Distribution::normal, seed, stream(latents), draw_.data()}, latents_);
  samples_ = Tensor(kernels_, points, flat(2));
  values_ = Tensor(kernels_, std::max(points, grid_ * grid_), flat(1));
  const TraceOptions rows{.batch = grid_, .statistics = Statistics::running, .precision = Precision::full};
  energy_trace_ = game.energy().make_trace(rows);
  generator_trace_ = game.generator().make_trace(rows);

  if (!game.options().lower) return;
  const int64_t batch = game.options().batch;
  bound_ = make_lower_bound(kernels_, game.generator(), batch, *game.options().lower);
  entropy_ = make_lower_bound(kernels_, game.generator(), batch, {.kind = LowerBoundKind::logdet});
  const auto normals = [&](bool wanted, Purpose purpose, const Features& features) {
    Tensor tensor = wanted ? Tensor(kernels_, batch, features) : Tensor();
    if (wanted) kernels_.noise({Distribution::normal, seed, stream(purpose), draw_.data()}, tensor);
    return tensor;
  };
  z_ = normals(true, bound_z, latent);
  v0_ = normals(true, bound_v0, latent);
  p0_ = normals(bound_->wants_p0(), bound_p0, latent);
  e_ = normals(bound_->wants_e(), bound_e, game.generator().output());
}

std::vector<std::string> ToyEvaluation::names() const {
  return {"log_z", "log_likelihood", "kl_data_model", "modes", "high_quality", "share_bound_above_entropy"};
}

std::vector<float> ToyEvaluation::energies(const Tensor& points) {
  for (int64_t row = 0; row < points.rows(); row += grid_) {
    game_.energy().forward(*energy_trace_, points.row_range(row, grid_), values_.row_range(row, grid_));
  }
  return download(kernels_, values_.row_range(0, points.rows()));
}

double ToyEvaluation::share_bound_above_entropy() {
  if (bound_ == nullptr) return not_there;
  if (Buffer<double>* state = bound_->state(); state != nullptr) {
    state->upload(game_.lower()->state()->download());
    bound_->state_restored();
  }
  bound_->evaluate(z_, {.v0 = v0_, .p0 = p0_, .e = e_});
  entropy_->evaluate(z_, {.v0 = v0_, .p0 = {}, .e = {}});
  const std::vector<float> bound = download(kernels_, bound_->value()),
                           entropy = download(kernels_, entropy_->value());
  int64_t above = 0;
  for (size_t i = 0; i < bound.size(); ++i) above += bound[i] > entropy[i] ? 1 : 0;
  return static_cast<double>(above) / static_cast<double>(bound.size());
}

std::vector<double> ToyEvaluation::evaluate(int64_t iteration) {
  for (int64_t row = 0; row < samples_.rows(); row += grid_) {
    game_.generator().forward(*generator_trace_, latents_.row_range(row, grid_),
                              samples_.row_range(row, grid_));
  }
  const std::vector<float> on_plane = energies(plane_), on_data = energies(held_out_);
  const std::vector<float> data = held_out_.download(), samples = samples_.download();
  const double log_z = log_normaliser(on_plane, grid_);
  const double log_likelihood = mean_log_likelihood(on_data, log_z);

  panels_ = {
      .data = {.title = "data", .content = Scatter{.points = some_points(data)}},
      .samples = {.title = "generator", .content = Scatter{.points = some_points(samples)}},
      .density = {.title = "p(x) at temperature 0.1",
                  .content = HeatMap{.values = cell_probabilities(on_plane, picture_temperature)}},
      .log_density = {.title = "log p(x)",
                      .content = HeatMap{.values = cell_log_densities(on_plane, log_z), .colour_bar = true}}};
  draw_pictures(iteration);

  if (dataset_ != ToyDataset::gaussians25) {
    return {log_z, log_likelihood, not_there, not_there, not_there, share_bound_above_entropy()};
  }
  const ModeCoverage coverage = gaussians25_coverage(samples);
  return {log_z,
          log_likelihood,
          gaussians25_mean_log_density(data) - log_likelihood,
          static_cast<double>(coverage.modes),
          coverage.high_quality,
          share_bound_above_entropy()};
}

void ToyEvaluation::draw_pictures(int64_t iteration) const {
  const Figure figure{.rows = {{panels_.data, panels_.samples, panels_.density, panels_.log_density}},
                      .caption = caption_ + ", after " + format_count(iteration) + " iterations"};
  folder_.save_picture("density", iteration, draw(figure));
}

}  // namespace ebm
