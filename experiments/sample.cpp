// SPDX-License-Identifier: MIT
// Images of a trained generator: a grid of samples, and rows of samples that turn from one into another.
//
//   ./experiments/sample runs/cifar10_ebm_bb_tuned_1      (the newest checkpoint of a run, or a checkpoint)
#include <cstdio>
#include <filesystem>

#include "io/hdf5_file.h"
#include "io/options.h"
#include "io/program.h"
#include "plot/image_grid.h"
#include "runs/trained_model.h"
#include "sampling/latent_points.h"
#include "sampling/sampler.h"
#include "train/run_folder.h"

namespace {

using namespace ebm;

struct Config {
  std::string checkpoint, device = "auto", out = ".";
  int64_t seed = 1, grid = 8, rows = 8, columns = 10;
  bool noise = false;
};

Options declare_options(Config& config) {
  Options options("sample", "Draws images of a trained generator: a grid, and interpolations.");
  options.add_argument("CHECKPOINT", &config.checkpoint,
                       "a checkpoint of an experiment on images, or its run's folder");
  options.add_folder("out", &config.out, "folder for samples.png and interpolations.png, not that of a run");
  options.add("seed", &config.seed, "of the latent points", {0, INT64_MAX});
  options.add("noise", &config.noise, "of a generator with noise (vera): with it, instead of the means");
  options.add("grid", &config.grid, "images on each side of the grid", {1, 100});
  options.add("rows", &config.rows, "of interpolations", {1, 100});
  options.add("columns", &config.columns, "images in a row of interpolations", {2, 100});
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  return options;
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw Error("cannot make the folder '" + path + "': " + error.message() + "; give another --out");
}

int sample(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  if (is_run_folder(config.out)) {
    throw UsageError("'" + config.out +
                     "' is the folder of a run, whose own samples.png would be lost; give " +
                     "another --out");
  }
  const auto path = checkpoint_of(config.checkpoint);
  const Hdf5File file = open_checkpoint(path);
  const TrainedModel model = trained_model(file.read_attribute<std::string>("/", "config"), path.string());
  const auto seed = static_cast<uint64_t>(config.seed);

  const auto kernels = open_kernels(config.device);
  TrainedSampler sampler(*kernels, file, model, config.noise ? std::optional(seed) : std::nullopt);
  make_folder(config.out);
  const auto draw = [&](const char* name, const std::vector<float>& latents, int64_t columns) {
    const auto picture = std::filesystem::path(config.out) / name;
    write_png(picture, image_grid(sampler.samples(latents), sampler.output(), columns));
    std::printf("%s\n", picture.c_str());
  };
  draw("samples.png", latent_points(*kernels, seed, 0, config.grid * config.grid, sampler.latent()),
       config.grid);
  draw("interpolations.png",
       interpolate(latent_points(*kernels, seed, 1, 2 * config.rows, sampler.latent()),
                   sampler.latent().size(), config.columns),
       config.columns);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("sample", [&] { return sample(argc, argv); });
}
