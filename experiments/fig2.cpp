// SPDX-License-Identifier: MIT
// Figure 2: the densities of five methods on two data sets, trained one after the other into
// OUT/DATASET_METHOD and laid out as OUT/fig2.png (or another --picture). Started again it goes on where it was stopped.
#include <cstdio>

#include "io/program.h"
#include "runs/toy_run.h"

namespace {

using namespace ebm;

constexpr ToyDataset datasets[] = {ToyDataset::gaussians25, ToyDataset::swiss_roll};
constexpr const char* dataset_titles[] = {"25 Gaussians", "swiss roll"};
constexpr const char* compared[] = {"ebm_bb", "ebm_0gp", "wgan_0gp", "meg", "vera"};

struct Config {
  Preset preset = Preset::tuned;
  int64_t seed = 1, iterations = usual_toy_iterations(preset);
  std::string device = "auto", out = "runs/fig2", picture;
};

Options declare_options(Config& config) {
  Options options("fig2", "Trains five methods on the two data sets of Figure 2 and draws the figure.");
  options.add_choice(
      "preset", &config.preset, choices(preset_names),
      "the constants of the paper's text and Table 11, of the methods' public code, or those that "
      "train best here");
  options.add("seed", &config.seed, "of all random numbers", {0, INT64_MAX});
  options.add("iterations", &config.iterations, "of each run; as toy_bb's of the preset", {1, INT64_MAX},
              Scope::placement);
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N", Scope::placement);
  options.add_folder("out", &config.out, "folder of the runs and the figure", Scope::placement);
  options.add("picture", &config.picture, "the figure's file: .png, .svg or .pdf (default: OUT/fig2.png)",
              Scope::placement);
  return options;
}

/// What all of the runs are: toy_bb can go on with any of them.
ToyExperiment experiment() {
  return {.program = "toy_bb",
          .description = "",
          .name = "toy",
          .dataset = ToyDataset::gaussians25,
          .networks = toy_networks(),
          .evaluation = {}};
}

/// One of the runs: what `toy_bb` with these options would do.
ToyResult run(Kernels& kernels, const Config& config, ToyDataset dataset, const std::string& method,
              const std::vector<NameValue>& environment) {
  const ToyExperiment runs = experiment();
  ToyConfig toy;
  toy.run.method = method;
  toy.run.preset = config.preset;
  choose_method(toy.run, runs.networks.kind, runs.program, [](Options&) {});
  Options options = declare_toy_options(toy, runs);
  const std::string name = name_of(dataset, toy_dataset_names) + "_" + method;
  options.set_default("dataset", name_of(dataset, toy_dataset_names));
  options.set_default("seed", config.seed);
  options.set_default("iterations", config.iterations);
  options.set_default("device", config.device);
  options.set_default("out", config.out + "/" + name);
  resolve_toy_defaults(options, toy, runs);
  return run_toy(kernels, toy, options, environment);
}

Panel titled(Panel panel, const std::string& title) {
  panel.title = title;
  return panel;
}

/// Two rows: the densities beside the data, the log densities beside EBM-BB's generator.
void add_rows(Figure& figure, const std::vector<ToyPanels>& panels, const std::string& dataset) {
  std::vector<Panel> density{titled(panels[0].data, "data")};
  std::vector<Panel> log_density{titled(panels[0].samples.front(), "EBM-BB's generator")};
  for (size_t i = 0; i < panels.size(); ++i) {
    density.push_back(titled(panels[i].density, std::string(method_row(compared[i]).title) + ": p(x)"));
    log_density.push_back(
        titled(panels[i].log_density, std::string(method_row(compared[i]).title) + ": log p(x)"));
  }
  figure.rows.push_back(density);
  figure.rows.push_back(log_density);
  figure.row_headers.insert(figure.row_headers.end(), {dataset, dataset});
}

int draw_figure2(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  options.set_default("iterations", usual_toy_iterations(config.preset));
  options.set_default("picture", config.out + "/fig2.png");
  (void)picture_format(config.picture);  // better now than after the training
  const auto kernels = open_kernels(config.device);
  std::printf("device: %s\n", kernels->description().c_str());

  Figure figure{.caption = "Figure 2: densities after " + format_count(config.iterations) +
                           " iterations; p(x) at temperature 0.1."};
  for (size_t i = 0; i < std::size(datasets); ++i) {
    std::vector<ToyPanels> panels;
    for (const char* method : compared) {
      const ToyResult result =
          run(*kernels, config, datasets[i], method, run_environment(argc, argv, *kernels));
      if (result.end.stop) return report_stop(*result.end.stop, result.end.iteration);
      panels.push_back(result.panels);
    }
    add_rows(figure, panels, dataset_titles[i]);
  }
  save_figure(config.picture, figure);
  std::printf("done: picture %s\n", config.picture.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("fig2", [&] { return draw_figure2(argc, argv); });
}
