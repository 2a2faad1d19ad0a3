// SPDX-License-Identifier: MIT
#include "runs/data.h"

namespace ebm {

namespace {

constexpr auto stream = static_cast<uint32_t>(Stream::data);

RankRows share_of(const TrainingOptions& training) {
  return rank_rows(training.optimiser.ranks, rank_batch(training.batch, training.optimiser.ranks));
}
uint64_t seed_of(const TrainingOptions& training) {
  return static_cast<uint64_t>(training.seed);
}

}  // namespace

std::unique_ptr<DataSource> make_toy_data(Kernels& kernels, ToyDataset dataset,
                                          const TrainingOptions& training) {
  return std::make_unique<ToyData>(kernels, dataset, share_of(training), training.energy_steps,
                                   seed_of(training), stream);
}

std::unique_ptr<DataSource> make_file_data(Kernels& kernels, const ImageFile& file, Flips flips,
                                           const TrainingOptions& training) {
  return make_image_data(kernels, file,
                         {.share = share_of(training),
                          .steps = training.energy_steps,
                          .seed = seed_of(training),
                          .flips = flips});
}

std::unique_ptr<DataSource> make_up_data(Kernels& kernels, const NetworkOptions& networks,
                                         const TrainingOptions& training) {
  if (networks.kind == NetworkKind::toy) return make_toy_data(kernels, ToyDataset::gaussians25, training);
  return std::make_unique<ShapesData>(kernels, data_shape(networks), share_of(training),
                                      training.energy_steps, seed_of(training), stream);
}

}  // namespace ebm
