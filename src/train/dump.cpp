// SPDX-License-Identifier: MIT
#include "train/dump.h"

#include <string>

#include "io/atomic_file.h"
#include "train/state.h"

namespace ebm {

namespace {

class Dump {
 public:
  Dump(Game& game, Hdf5File& file) : game_(game), kernels_(game.kernels()), file_(file) {}

  void attributes(Method method, Preset preset);
  void state(const std::string& prefix) { write_state(file_, game_, prefix, NotFinite::written); }
  void energy_step();
  void generator_step();

 private:
  void array(const std::string& name, ConstView view);
  void image_batch(const std::string& name, ConstView view);
  void scalar(const std::string& name, float value) {
    file_.write_dataset(name, std::span<const float>(&value, 1), {});
  }
  void gradients(const std::string& network);
  IterationScalars scalars() {
    IterationScalars host;
    kernels_.download(&host, game_.scalars(), sizeof host);
    return host;
  }

  Game& game_;
  Kernels& kernels_;
  Hdf5File& file_;
};

void Dump::attributes(Method method, Preset preset) {
  const GameOptions& o = game_.options();
  const LowerBoundOptions lower = o.lower.value_or(LowerBoundOptions{});
  const auto text = [&](const char* name, const std::string& value) {
    file_.write_attribute("/", name, value);
  };
  const auto number = [&](const char* name, double value) { file_.write_attribute("/", name, value); };
  text("method", name_of(method, method_names));
  text("preset", name_of(preset, preset_names));
  text("lower_bound", o.lower ? name_of(lower.kind, lower_bound_names) : "none");
  text("upper_bound", name_of(o.upper.kind, upper_bound_names));
  text("lobpcg_direction", name_of(lower.direction, direction_names));
  text("preconditioner", name_of(lower.preconditioning, preconditioning_names));
  file_.write_attribute("/", "lobpcg_iterations", lower.lobpcg_iterations);
  file_.write_attribute("/", "slq_pairs", lower.lanczos_pairs);
  number("penalty_weight", o.upper.weight);
  text("penalty_normaliser", name_of(o.upper.normaliser, normaliser_names));
  number("hinge", o.upper.hinge);
  number("entropy_weight", o.entropy_weight);
  text("entropy_z", name_of(o.entropy_points, entropy_points_names));
  number("lr_energy", o.lr_energy);
  number("lr_generator", o.lr_generator);
  number("adam_beta1", o.adam.beta1);
  number("adam_beta2", o.adam.beta2);
  number("adam_epsilon", o.adam.epsilon);
  file_.write_attribute("/", "iteration", static_cast<int64_t>(game_.iteration().download().at(0)) + 1);
}

/// B x F, or B x C x H x W for images; B alone for one number a sample. Absent when the view is empty.
void Dump::array(const std::string& name, ConstView view) {
  if (view.empty()) return;
  const std::vector<float> values = download(kernels_, view);
  std::vector<int64_t> shape{view.rows};
  if (view.columns() > 1) shape.push_back(view.columns());
  file_.write_dataset(name, std::span<const float>(values), shape);
}

void Dump::image_batch(const std::string& name, ConstView view) {
  const Features& image = view.features;
  if (image.pixels() == 1) return array(name, view);
  const std::vector<float> nchw =
      to_pytorch_order(download(kernels_, view), {.channels = image.channels, .pixels = image.pixels()});
  file_.write_dataset(name, std::span<const float>(nchw),
                      {view.rows, image.channels, image.height, image.width});
}

void Dump::gradients(const std::string& network) {
  std::vector<NamedArray> wanted;
  for (const NamedArray& g : gradient_arrays(game_)) {
    if (g.name.starts_with(network + "/")) wanted.push_back(g);
  }
  write_arrays(file_, kernels_, "gradients/", wanted);
}

void Dump::energy_step() {
  game_.energy_step();
  game_.complete_energy_step();
  const Game::Draws& draws = game_.draws();
  image_batch("inputs/x", game_.upper().data());
  array("inputs/z", draws.z);
  array("inputs/v0", draws.v0);
  array("inputs/p0", draws.p0);
  array("inputs/alpha", draws.alpha);
  image_batch("inputs/e", draws.e);
  array("results/energy_real", game_.upper().energy_real());
  array("results/energy_fake", game_.upper().energy_fake());
  array("results/directional", game_.upper().directional());
  array("results/a", game_.upper().score());
  if (!draws.v0.empty()) {
    array("results/v", game_.lower()->v());
    array("results/log_s1", game_.lower()->log_s1());
    array("results/entropy", game_.lower()->value());
  }
  const IterationScalars s = scalars();
  scalar("results/penalty", s.penalty);
  scalar("results/loss_energy", s.loss_energy);
  gradients("energy");
}

void Dump::generator_step() {
  game_.generator_step();
  const Game::Draws& draws = game_.draws();
  array("inputs/z_generator", draws.z_generator);
  array("inputs/v0_generator", draws.v0_generator);
  array("inputs/p0_generator", draws.p0_generator);
  image_batch("inputs/e_generator", draws.e_generator);
  array("results/energy_generator", game_.generator_energies());
  if (!draws.v0_generator.empty()) {
    array("results/v_generator", game_.lower()->v());
    array("results/log_s1_generator", game_.lower()->log_s1());
    array("results/entropy_generator", game_.lower()->value());
  }
  scalar("results/loss_generator", scalars().loss_generator);
  gradients("generator");
}

}  // namespace

void dump_iteration(Game& game, Method method, Preset preset, const std::filesystem::path& path) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary, Hdf5File::Strings::variable);
    Dump dump(game, file);
    dump.attributes(method, preset);
    dump.state("before/");
    dump.energy_step();
    dump.generator_step();
    dump.state("after/");
    file.close();
  });
}

}  // namespace ebm
