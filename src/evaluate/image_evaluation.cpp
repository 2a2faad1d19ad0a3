// SPDX-License-Identifier: MIT
#include "evaluate/image_evaluation.h"

#include <algorithm>

#include "data/shapes.h"
#include "evaluate/image_values.h"
#include "plot/image_grid.h"
#include "sampling/latent_points.h"

namespace ebm {

namespace {

constexpr int64_t chunk = 16;  // images at a time: little memory beside that of training

/// Noise streams of the evaluation, from Stream::evaluation on; 3 to 6 are BoundCheck's.
enum Purpose : uint32_t { grid_latents = 0, jacobian_latents = 9, held_out_shapes = 10, shape_latents = 11 };
uint32_t stream(Purpose purpose) {
  return static_cast<uint32_t>(Stream::evaluation) + purpose;
}
uint64_t seed_of(Method& method) {
  return static_cast<uint64_t>(method.training().seed);
}

}  // namespace

ImageEvaluation::ImageEvaluation(Method& method, const ImageFile* held_out,
                                 const ImageEvaluationOptions& options, const RunFolder& folder)
    : method_(method),
      grid_(options.grid),
      folder_(folder),
      energy_(method.energy_function(chunk)),
      samplers_(method.samplers(chunk)),
      latents_(latent_points(method.kernels(), seed_of(method), stream(grid_latents), grid_ * grid_,
                             samplers_.front().sampler->latent())) {
  watch_jacobian(options.jacobian_points);
  if (options.entropy) {
    Network& generator = method.learner("generator").evaluated();
    if (generator.input() != samplers_.front().sampler->latent())
      throw UsageError("the entropy of a generator with noise has no exact value; choose another --method");
    entropy_.emplace(method.kernels(), generator, *options.entropy);
  }
  if (options.shape_samples > 0) watch_shapes(method, options);
  if (held_out == nullptr) return;
  if (!(held_out->info().shape == energy_->input())) {
    throw Error(held_out->path().string() + " has images of " + to_string(held_out->info().shape) +
                ", the networks take " + to_string(energy_->input()) + "; give another --held-out");
  }
  held_out_ = image_values(*held_out, 0, std::min(options.held_out_images, held_out->info().count));
}

void ImageEvaluation::watch_jacobian(int64_t points) {
  if (points == 0) return;
  jacobian_.emplace(method_.kernels(), method_.measured_generator(), points);
  jacobian_latents_ = latent_points(method_.kernels(), seed_of(method_), stream(jacobian_latents), points,
                                    samplers_.front().sampler->latent());
  measures_ = method_.exact_measures(points);
}

void ImageEvaluation::watch_shapes(Method& method, const ImageEvaluationOptions& options) {
  templates_.emplace(energy_->input());
  shape_latents_ = latent_points(method.kernels(), seed_of(method), stream(shape_latents),
                                 options.shape_samples, samplers_.front().sampler->latent());
  held_out_ = shape_images(method.kernels(), energy_->input(), options.held_out_images, seed_of(method),
                           stream(held_out_shapes));
}

std::vector<std::string> ImageEvaluation::names() const {
  std::vector<std::string> names{"energy_held_out"};
  for (const NamedSampler& sampler : samplers_) {
    names.push_back(sampler.named("energy_samples"));
    if (!templates_) continue;
    for (const char* measure : {"modes", "kl", "high_quality"}) names.push_back(sampler.named(measure));
  }
  if (jacobian_) names.insert(names.end(), {"log_det", "d_log_s1", "condition", "anisotropy"});
  for (const Measure& measure : measures_) names.push_back(measure.name);
  if (entropy_) {
    for (const std::string& name : EntropyEstimates::names()) names.push_back(name);
  }
  return names;
}

double ImageEvaluation::mean_energy(const std::vector<float>& images) const {
  if (images.empty()) return not_there;
  const std::vector<float> energies = energy_->energies(images);
  double sum = 0;
  for (const float energy : energies) sum += static_cast<double>(energy);
  return sum / static_cast<double>(energies.size());
}

std::vector<double> ImageEvaluation::evaluate(int64_t iteration) {
  std::vector<double> values{mean_energy(held_out_)};
  shapes_.reset();
  for (const NamedSampler& from : samplers_) {
    const std::vector<float> samples = from.sampler->samples(latents_);
    folder_.save_picture(from.named("samples"), iteration, ".png",
                         encode_png(image_grid(samples, from.sampler->output(), grid_)));
    values.push_back(mean_energy(samples));
    if (!templates_) continue;
    const ShapeCoverage of = templates_->coverage(from.sampler->samples(shape_latents_));
    values.insert(values.end(), {static_cast<double>(of.modes), of.kl, of.high_quality});
    if (!shapes_) shapes_ = of;
  }
  if (jacobian_) {
    method_.measured_generator();  // of now
    const JacobianNumbers of = summary(jacobian_->at(jacobian_latents_));
    values.insert(values.end(), {of.log_det, of.d_log_s1, of.condition, of.anisotropy});
  }
  for (const Measure& measure : measures_) values.push_back(measure.value());
  if (entropy_) {
    for (const double mean : entropy_->means()) values.push_back(mean);
  }
  return values;
}

}  // namespace ebm
