// SPDX-License-Identifier: MIT
#include "runs/sample_figure.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "io/program.h"
#include "io/progress.h"
#include "methods/registry.h"
#include "plot/figure.h"
#include "plot/image_grid.h"
#include "runs/trained_model.h"
#include "sampling/latent_points.h"
#include "train/run_folder.h"

namespace ebm {

namespace {

struct Config {
  std::vector<std::string> runs;
  std::string out, device = "auto";
  int64_t seed = 1, grid = 8, columns = 3;
};

Options declare_options(Config& config, const SampleFigure& figure) {
  Options options(figure.program, figure.description);
  options.add_arguments("RUN", &config.runs,
                        "folders of runs, each by its newest checkpoint, or checkpoints");
  options.add("out", &config.out, "the figure: .png, .svg or .pdf");
  options.add("seed", &config.seed, "of the latent points", {0, INT64_MAX});
  options.add("grid", &config.grid, "samples on each side of a run's panel", {2, 50});
  options.add("columns", &config.columns, "panels in a row", {1, 50});
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  return options;
}

struct Samples {
  std::string method;
  int64_t seed, iteration;
  Image grid;
};

/// The means of a generator with noise; of the averaged parameters where a run has them.
Samples samples_of(Kernels& kernels, const std::string& given, const SampleFigure& figure,
                   const Config& config) {
  const auto path = checkpoint_of(given);
  const Hdf5File file = open_checkpoint(path);
  const TrainedModel model = trained_model(file.read_attribute<std::string>("/", "config"), path.string());
  TrainedSampler sampler(kernels, file, model);
  if (!(sampler.output() == figure.images)) {
    throw Error(given + " makes images of " + to_string(sampler.output()) + ", this figure has " +
                to_string(figure.images) + "; give runs on " + figure.data);
  }
  const std::vector<float> z = latent_points(kernels, static_cast<uint64_t>(config.seed), 0,
                                             config.grid * config.grid, sampler.latent());
  return {.method = method_row(model.method).title,
          .seed = model.seed,
          .iteration = file.read_attribute<int64_t>("/", "iteration"),
          .grid = image_grid(sampler.samples(z), sampler.output(), config.grid)};
}

/// The method's name, with what tells runs of one method apart.
std::string label_of(const Samples& one, const std::vector<Samples>& all) {
  const auto same =
      std::count_if(all.begin(), all.end(), [&](const Samples& other) { return other.method == one.method; });
  if (same == 1) return one.method;
  return one.method + ", seed " + std::to_string(one.seed) + ", " + format_count(one.iteration) +
         " iterations";
}

Figure figure_of(const std::vector<Samples>& all, const SampleFigure& figure, int64_t columns) {
  constexpr double scale = 2;
  // A pixel of a grid is a pixel of the picture.
  Figure page{.panel_size = static_cast<int64_t>(static_cast<double>(all.front().grid.height) / scale),
              .scale = scale};
  page.caption = std::string("Samples on ") + figure.data + ". Iterations:";
  for (const Samples& one : all) {
    if (page.rows.empty() || std::ssize(page.rows.back()) == columns) page.rows.emplace_back();
    page.rows.back().push_back({label_of(one, all), Picture{one.grid}});
    page.caption += (&one == &all.front() ? " " : "; ") + one.method + " " + format_count(one.iteration);
  }
  page.caption += ".";
  return page;
}

int draw_samples(const SampleFigure& figure, int argc, const char* const* argv) {
  Config config;
  config.out = std::string(figure.program) + ".png";
  Options options = declare_options(config, figure);
  if (!options.parse(argc, argv)) return 0;
  (void)picture_format(config.out);  // better now than after the sampling
  const auto kernels = open_kernels(config.device);
  std::vector<Samples> all;
  for (const std::string& run : config.runs) all.push_back(samples_of(*kernels, run, figure, config));
  save_figure(config.out, figure_of(all, figure, config.columns));
  std::printf("%s\n", config.out.c_str());
  return 0;
}

}  // namespace

int run_sample_figure(const SampleFigure& figure, int argc, const char* const* argv) {
  return run_program(figure.program, [&] { return draw_samples(figure, argc, argv); });
}

}  // namespace ebm
