// SPDX-License-Identifier: MIT
#include "evaluate/image_evaluation.h"

#include <algorithm>
#include <limits>

#include "plot/image_grid.h"

namespace ebm {

namespace {

constexpr int64_t chunk = 16;  // images at a time: little memory beside the game's

/// The first images of a file, as training sees them: 2 byte / 255 - 1.
std::vector<float> first_images(const ImageFile& file, int64_t most) {
  const DatasetInfo& info = file.info();
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(most, info.count) * info.shape.size()));
  file.read_images(0, bytes);
  if (most >= info.count) {
    ContentCheck check(file);
    check.add(bytes);
    check.finish();
  }
  std::vector<float> images(bytes.size());
  std::transform(bytes.begin(), bytes.end(), images.begin(),
                 [](uint8_t byte) { return 2 * static_cast<float>(byte) / 255 - 1; });
  return images;
}

}  // namespace

ImageEvaluation::ImageEvaluation(Game& game, const ImageFile* held_out, const ImageEvaluationOptions& options,
                                 const RunFolder& folder)
    : game_(game),
      grid_(options.grid),
      folder_(folder),
      sampler_(game.kernels(), game.generator(), chunk),
      latents_(latent_points(game.kernels(), game.options().seed, static_cast<uint32_t>(Stream::evaluation),
                             grid_ * grid_, game.generator().input())),
      energy_trace_(game.energy().make_trace(
          {.batch = chunk, .statistics = Statistics::running, .precision = Precision::full})),
      images_(game.kernels(), chunk, game.energy().input()),
      energies_(game.kernels(), chunk, flat(1)) {
  if (held_out == nullptr) return;
  if (!(held_out->info().shape == game.energy().input())) {
    throw Error(held_out->path().string() + " has images of " + to_string(held_out->info().shape) +
                ", the networks take " + to_string(game.energy().input()) + "; give another --held-out");
  }
  held_out_ = first_images(*held_out, options.held_out_images);
}

std::vector<std::string> ImageEvaluation::names() const {
  return {"energy_held_out", "energy_samples"};
}

double ImageEvaluation::mean_energy(const std::vector<float>& images) {
  const auto size = static_cast<size_t>(images_.columns()), most = static_cast<size_t>(chunk);
  const size_t count = images.size() / size;
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  std::vector<float> part(most * size);
  for (size_t first = 0; first < count; first += most) {
    const size_t rows = std::min(most, count - first);
    std::copy_n(images.begin() + static_cast<std::ptrdiff_t>(first * size), rows * size, part.begin());
    images_.upload(part);
    game_.energy().forward(*energy_trace_, images_, energies_);
    const std::vector<float> energies = energies_.download();
    for (size_t i = 0; i < rows; ++i) sum += static_cast<double>(energies[i]);
  }
  return sum / static_cast<double>(count);
}

std::vector<double> ImageEvaluation::evaluate(int64_t iteration) {
  const std::vector<float> samples = sampler_.images(latents_);
  folder_.save_picture("samples", iteration, image_grid(samples, game_.generator().output(), grid_));
  return {mean_energy(held_out_), mean_energy(samples)};
}

}  // namespace ebm
