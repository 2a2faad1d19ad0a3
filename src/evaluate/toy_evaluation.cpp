// SPDX-License-Identifier: MIT
#include "evaluate/toy_evaluation.h"

#include <fmt/format.h>

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

/// log p of the data set, on cells few enough to take little time.
Panel truth_panel(ToyDataset dataset, int64_t grid) {
  constexpr double terms = 2e7, colours = 15;  // nats below the highest density
  const auto affordable =
      static_cast<int64_t>(std::sqrt(terms / static_cast<double>(ToyDensity{dataset}.nodes())));
  HeatMap map{.values = true_log_densities(dataset, std::min(grid, affordable)), .colour_bar = true};
  const double highest = *std::max_element(map.values.begin(), map.values.end());
  map.range = {highest - colours, highest};
  return {.title = "log p(x) of the data", .content = std::move(map)};
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

/// The method's generator, if it and z are of the plane.
Network* generator_of_plane(Method& method) {
  for (Learner* learner : method.learners()) {
    Network& network = learner->evaluated();
    if (learner->name() == "generator" && network.input() == flat(2) && network.output() == flat(2))
      return &network;
  }
  return nullptr;
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
      kernels_(method.kernels()),
      energy_network_(&method.learner("energy").evaluated()),
      generator_(generator_of_plane(method)),
      energy_(method.energy_function(grid_)),
      samplers_(method.samplers(grid_)),
      measures_(method.exact_measures(method.training().batch)),
      plane_(plane_grid(grid_)),
      truth_(truth_panel(dataset, grid_)) {
  const int64_t points = (options.points + grid_ - 1) / grid_ * grid_;
  const auto seed = static_cast<uint64_t>(method.training().seed);
  held_out_ = held_out_points(method.kernels(), dataset, points, seed);
  if (samplers_.empty()) return;
  latents_ =
      latent_points(method.kernels(), seed, stream(latents), points, samplers_.front().sampler->latent());
}

std::vector<std::string> ToyEvaluation::names() const {
  std::vector<std::string> names{"log_z", "log_likelihood", "kl_data_model"};
  for (const NamedSampler& sampler : samplers_)
    for (const char* measure : {"modes", "high_quality"}) names.push_back(sampler.named(measure));
  if (generator_ != nullptr)
    for (const char* name :
         {"nll_lower", "nll_importance", "nll_upper", "entropy_formula", "entropy_samples", "folding"})
      names.emplace_back(name);
  for (const Measure& measure : measures_) names.push_back(measure.name);
  return names;
}

std::vector<double> ToyEvaluation::evaluate(int64_t iteration) {
  const bool known = dataset_ == ToyDataset::gaussians25;
  const std::vector<float> on_plane = energy_->energies(plane_), on_data = energy_->energies(held_out_);
  const double log_z = log_normaliser(on_plane, grid_);
  const double log_likelihood = mean_log_likelihood(on_data, log_z);
  std::vector<double> values{log_z, log_likelihood, mean_log_density(dataset_, held_out_) - log_likelihood};

  panels_ = {.data = {.title = "data", .content = Scatter{.points = some_points(held_out_)}},
             .samples = {},
             .density = {.title = "p(x) at temperature 0.1",
                         .content = HeatMap{.values = cell_probabilities(on_plane, picture_temperature)}},
             .log_density = {.title = "log p(x)",
                             .content = HeatMap{.values = cell_log_densities(on_plane, log_z),
                                                .range = std::get<HeatMap>(truth_.content).range,
                                                .colour_bar = true}},
             .truth = truth_};
  for (const NamedSampler& from : samplers_) {
    const std::vector<float> samples = from.sampler->samples(latents_);
    panels_.samples.push_back({.title = from.name.empty() ? "generator" : "generator, " + from.name,
                               .content = Scatter{.points = some_points(samples)}});
    const ModeCoverage coverage = known ? gaussians25_coverage(samples) : ModeCoverage{};
    values.push_back(known ? static_cast<double>(coverage.modes) : not_there);
    values.push_back(known ? coverage.high_quality : not_there);
  }
  draw_pictures(iteration);
  if (generator_ != nullptr) {
    bounds_ =
        toy_bounds(kernels_, *energy_network_, *generator_, ToyNormaliser{log_z, -log_likelihood - log_z},
                   {.points = std::ssize(latents_) / 2}, [](int64_t) {});
    values.insert(values.end(),
                  {bounds_->lower, bounds_->importance, bounds_->upper, bounds_->entropy,
                   bounds_->entropy_neighbours, bounds_->entropy - bounds_->entropy_neighbours});
  }

  for (const Measure& measure : measures_) values.push_back(measure.value());
  return values;
}

std::string ToyEvaluation::sandwich() const {
  if (!bounds_) return {};
  const ToyBounds& b = *bounds_;
  const double folding = b.entropy - b.entropy_neighbours;
  std::string text = fmt::format(
      "-log p of held-out data {:.3f} nats; lower bound {:.3f}, importance-weighted {:.3f} ({} samples), "
      "upper {:.3f}\nentropy of the generator {:.3f} by its Jacobian, {:.3f} by its samples: folding "
      "{:.3f}\n",
      b.nll, b.lower, b.importance, std::ssize(latents_) / 2, b.upper, b.entropy, b.entropy_neighbours,
      folding);
  // Kozachenko and Leonenko's estimate of 20,000 samples is good to some hundredths of a nat.
  constexpr double resolved = 0.1;
  if (!(folding <= resolved))
    text +=
        "the generator folds the plane: what its Jacobian says is above its entropy, and no lower bound "
        "holds\n";
  if (!(b.lower <= b.nll + resolved)) text += "the lower bound lies above -log p\n";
  if (!(b.importance <= b.nll + resolved)) text += "the importance-weighted bound lies above -log p\n";
  if (!(b.upper >= b.nll))
    text += "the upper bound lies below -log p: its weight is too small to be a bound\n";
  return text;
}

void ToyEvaluation::draw_pictures(int64_t iteration) const {
  std::vector<Panel> row{panels_.data};
  row.insert(row.end(), panels_.samples.begin(), panels_.samples.end());
  row.insert(row.end(), {panels_.density, panels_.log_density, panels_.truth});
  const Figure figure{.rows = {row},
                      .caption = caption_ + ", after " + format_count(iteration) + " iterations"};
  folder_.save_picture("density", iteration, ending_of(picture_), draw_file(figure, picture_));
}

}  // namespace ebm
