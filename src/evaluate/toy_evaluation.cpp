// SPDX-License-Identifier: MIT
#include "evaluate/toy_evaluation.h"

#include <algorithm>
#include <cmath>

#include "io/progress.h"
#include "metrics/toy_density.h"
#include "sampling/latent_points.h"

namespace ebm {

namespace {

constexpr double picture_temperature = 0.1;
constexpr int64_t scattered = 2000;  // points of a picture's scatter plots

/// Noise streams of the evaluation, from Stream::evaluation on; 3 to 6 are BoundCheck's.
enum Purpose : uint32_t { held_out_data = 0, /* and 1 */ latents = 2 };
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

std::vector<float> held_out_points(Kernels& kernels, ToyDataset dataset, int64_t points, uint64_t seed) {
  const Buffer<uint64_t> draw(kernels, 1);  // the number of the draw, always 0
  const Tensor data(kernels, points, flat(2));
  ToyData(kernels, dataset, points, seed, stream(held_out_data)).draw(draw.data(), data);
  return data.download();
}

ToyEvaluation::ToyEvaluation(Method& method, ToyDataset dataset, const ToyEvaluationOptions& options,
                             const RunFolder& folder, std::string caption)
    : dataset_(dataset),
      grid_(options.grid),
      picture_(options.picture),
      folder_(folder),
      caption_(std::move(caption)),
      energy_(method.energy_function(grid_)),
      samplers_(method.samplers(grid_)),
      measures_(method.exact_measures(method.training().batch)),
      plane_(plane_grid(grid_)) {
  const int64_t points = (options.points + grid_ - 1) / grid_ * grid_;
  const auto seed = static_cast<uint64_t>(method.training().seed);
  held_out_ = held_out_points(method.kernels(), dataset, points, seed);
  latents_ =
      latent_points(method.kernels(), seed, stream(latents), points, samplers_.front().sampler->latent());
}

std::vector<std::string> ToyEvaluation::names() const {
  std::vector<std::string> names{"log_z", "log_likelihood", "kl_data_model"};
  for (const NamedSampler& sampler : samplers_)
    for (const char* measure : {"modes", "high_quality"}) names.push_back(sampler.named(measure));
  for (const Measure& measure : measures_) names.push_back(measure.name);
  return names;
}

std::vector<double> ToyEvaluation::evaluate(int64_t iteration) {
  const bool known = dataset_ == ToyDataset::gaussians25;
  const std::vector<float> on_plane = energy_->energies(plane_), on_data = energy_->energies(held_out_);
  const double log_z = log_normaliser(on_plane, grid_);
  const double log_likelihood = mean_log_likelihood(on_data, log_z);
  std::vector<double> values{log_z, log_likelihood,
                             known ? gaussians25_mean_log_density(held_out_) - log_likelihood : not_there};

  panels_ = {
      .data = {.title = "data", .content = Scatter{.points = some_points(held_out_)}},
      .samples = {},
      .density = {.title = "p(x) at temperature 0.1",
                  .content = HeatMap{.values = cell_probabilities(on_plane, picture_temperature)}},
      .log_density = {.title = "log p(x)",
                      .content = HeatMap{.values = cell_log_densities(on_plane, log_z), .colour_bar = true}}};
  for (const NamedSampler& from : samplers_) {
    const std::vector<float> samples = from.sampler->samples(latents_);
    panels_.samples.push_back({.title = from.name.empty() ? "generator" : "generator, " + from.name,
                               .content = Scatter{.points = some_points(samples)}});
    const ModeCoverage coverage = known ? gaussians25_coverage(samples) : ModeCoverage{};
    values.push_back(known ? static_cast<double>(coverage.modes) : not_there);
    values.push_back(known ? coverage.high_quality : not_there);
  }
  draw_pictures(iteration);

  for (const Measure& measure : measures_) values.push_back(measure.value());
  return values;
}

void ToyEvaluation::draw_pictures(int64_t iteration) const {
  std::vector<Panel> row{panels_.data};
  row.insert(row.end(), panels_.samples.begin(), panels_.samples.end());
  row.insert(row.end(), {panels_.density, panels_.log_density});
  const Figure figure{.rows = {row},
                      .caption = caption_ + ", after " + format_count(iteration) + " iterations"};
  folder_.save_picture("density", iteration, ending_of(picture_), draw_file(figure, picture_));
}

}  // namespace ebm
