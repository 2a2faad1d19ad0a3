// SPDX-License-Identifier: MIT
#include "methods/gan.h"

namespace ebm {

Gan::Gan(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const GanOptions& options,
         NoiseSource* noise)
    : Method(kernels, data, options.training, noise),
      options_(options),
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      generator_(kernels, "generator", networks.generator, training_.lr_generator, training_.optimiser),
      whole_generator_batch_(options.generator_batch > 0 ? options.generator_batch : whole_batch()),
      generator_batch_(rank_batch(whole_generator_batch_, ranks(), "--generator-batch")),
      pairs_(kernels, (training_.energy_steps > 1 ? 4 : 2) * batch(), generator().output()),
      energies_(kernels, 2 * batch(), flat(1)),
      energies_bar_(kernels, 2 * batch(), flat(1)),
      samples_(kernels, generator_batch_, generator().output()),
      samples_bar_(kernels, generator_batch_, generator().output()),
      generator_energies_(kernels, generator_batch_, flat(1)),
      generator_energies_bar_(kernels, generator_batch_, flat(1)),
      all_energies_(kernels, ranks(), batch(), 2),
      all_energies_bar_(kernels, ranks(), batch(), 2),
      all_generator_energies_(kernels, ranks(), generator_batch_),
      all_generator_energies_bar_(kernels, ranks(), generator_batch_) {
  require_fitting(energy(), generator().output(), data.features());
  learners_ = {&energy_, &generator_};
  const auto trace = [&](Network& network, int64_t rows) {
    return network.make_trace(
        {.batch = rows, .statistics = Statistics::batch, .precision = training_.precision});
  };
  // A forward pass of x moves running statistics before that of x~; where there are none, both go as one
  // batch.
  const int64_t parts = energy().parameters().statistics().empty() ? 1 : 2;
  for (int64_t i = 0; i < parts; ++i) pair_traces_.push_back(trace(energy(), 2 * batch() / parts));
  generator_energy_trace_ = trace(energy(), generator_batch_);
  samples_trace_ = trace(generator(), batch());
  generator_trace_ = trace(generator(), generator_batch_);

  const Features& latent = generator().input();
  z_ = draws_.normal("z", Stream::z, {batch(), latent, training_.energy_steps});
  z_generator_ = draws_.normal("z_generator", Stream::z_generator,
                               {generator_batch_, latent, training_.generator_steps});

  using enum NumberRole;
  n_.energy_real = numbers_.add("energy_real", shown);
  n_.energy_fake = numbers_.add("energy_fake", shown);
  n_.loss_energy = numbers_.add("loss_energy", loss);
  n_.loss_generator = numbers_.add("loss_generator", loss);
}

void Gan::run(Watcher* watcher) {
  begin();
  energy_samples(0);
  const int64_t last = training_.energy_steps - 1;
  for (int64_t step = 0; step < last; ++step) {
    energy_forward(step);
    kernels_.concurrently([this] { energy_backward(); }, [this, step] { energy_samples(step + 1); });
  }
  energy_forward(last);
  if (watcher != nullptr) {
    watcher->see("energy_real", energies_.row_range(0, batch()));
    watcher->see("energy_fake", energies_.row_range(batch(), batch()));
  }
  kernels_.concurrently([this] { energy_backward(); }, [this] { generator_forward(0); });
  generator_backward();
  for (int64_t step = 1; step < training_.generator_steps; ++step) {
    generator_forward(step);
    generator_backward();
  }
  const Range range(kernels_, "generator step");
  count_iteration();
  if (watcher != nullptr) watcher->see("energy_generator", generator_energies_);
}

void Gan::begin() {
  const Range range(kernels_, "energy step");
  energy().round_parameters();
  generator().round_parameters();
  const Range draws(kernels_, "draws");
  draw_data(real(0));
  draws_.fill(z_);
}

/// x~ = G(z), with batch statistics
void Gan::energy_samples(int64_t step) {
  const Range range(kernels_, "energy step");
  generator().forward(*samples_trace_, z_.of_step(step), fake(step));
}

/// theta: minimise mean f(E(x)) + mean f(-E(x~))
void Gan::energy_forward(int64_t step) {
  const Range range(kernels_, "energy step");
  take_data(step, real(step));
  for (size_t i = 0; i < pair_traces_.size(); ++i) {
    const int64_t rows = pair_traces_[i]->options.batch, first = static_cast<int64_t>(i) * rows;
    energy().forward(*pair_traces_[i], pair(step).row_range(first, rows), energies_.row_range(first, rows));
  }
  const float* const all = all_energies_.gather(energies_.data());
  float* const all_bar = all_energies_bar_.all_or(energies_bar_.data());
  kernels_.run(GanObjective{.samples = whole_batch(),
                            .kind = options_.loss,
                            .real = all,
                            .fake = all + whole_batch(),
                            .real_bar = all_bar,
                            .fake_bar = all_bar + whole_batch(),
                            .mean_real = n_.energy_real,
                            .mean_fake = n_.energy_fake,
                            .loss = n_.loss_energy});
  all_energies_bar_.take(energies_bar_.data());
}

void Gan::energy_backward() {
  const Range range(kernels_, "energy step");
  for (size_t i = 0; i < pair_traces_.size(); ++i) {
    const int64_t rows = pair_traces_[i]->options.batch, first = static_cast<int64_t>(i) * rows;
    energy().vjp(*pair_traces_[i], energies_bar_.row_range(first, rows), {},
                 i == 0 ? Gradient::overwrite : Gradient::accumulate);
  }
  energy_.step(clock());
  energy().round_parameters();
}

/// x~2 = G(z_generator)
void Gan::generator_forward(int64_t step) {
  const Range range(kernels_, "generator step");
  if (step == 0) {
    const Range draws(kernels_, "draws");
    draws_.fill(z_generator_);
  } else {
    generator().round_parameters();
  }
  generator().forward(*generator_trace_, z_generator_.of_step(step), samples_);
}

/// G: minimise mean f(E(x~2)) or mean E(x~2)
void Gan::generator_backward() {
  const Range range(kernels_, "generator step");
  energy().forward(*generator_energy_trace_, samples_, generator_energies_);
  kernels_.run(
      GanGeneratorObjective{.samples = whole_generator_batch_,
                            .kind = options_.loss,
                            .fake = all_generator_energies_.gather(generator_energies_.data()),
                            .fake_bar = all_generator_energies_bar_.all_or(generator_energies_bar_.data()),
                            .loss = n_.loss_generator});
  all_generator_energies_bar_.take(generator_energies_bar_.data());
  energy().vjp(*generator_energy_trace_, generator_energies_bar_, samples_bar_, Gradient::ignore);
  generator().vjp(*generator_trace_, samples_bar_, {}, Gradient::overwrite);
  generator_.step(clock());
}

}  // namespace ebm
