// SPDX-License-Identifier: MIT
// Figure 3: estimates of the entropy of MNIST's fully connected generator beside the truth, measured while EBM-BB
// trains it. Started again it goes on where it was stopped; --plot-only draws what was measured so far.
//
//   ./experiments/fig3 --picture fig3.pdf
#include <cstdio>

#include "io/program.h"
#include "report/figure3.h"
#include "runs/image_run.h"
#include "runs/trained_model.h"

namespace {

using namespace ebm;

constexpr int64_t epochs = 60, batch = 64;

ImageExperiment experiment() {
  return {.program = "fig3",
          .description =
              "Trains EBM-BB on MNIST, measures estimates of its generator's entropy and draws Figure 3.",
          .name = "fig3",
          .data = "mnist",
          .held_out = DataSplit::test,
          .flips = Flips::none,
          .networks = mlp_networks(),
          .iterations = epochs * 60000 / batch,
          .stacked_iterations = 0,
          .entropy_points = 16};
}

struct Config {
  ImageConfig images;
  int64_t every = 100;
  std::string picture;
  bool plot_only = false, more = false;
};

Options declare_options(Config& config) {
  config.images.jacobian_points = 0;  // the estimates have the exact numbers
  Options options = declare_image_options(config.images, experiment());
  options.group("Figure 3");
  options.add("every", &config.every, "iterations between measurements: --eval-every by another name",
              {1, INT64_MAX}, Scope::placement);
  options.add("picture", &config.picture, "its file: .png, .svg or .pdf (default: OUT/fig3.png)",
              Scope::placement);
  options.add("more", &config.more, "a second panel: Lanczos quadrature, preconditioned LOBPCG",
              Scope::placement);
  options.add("plot_only", &config.plot_only, "draws what OUT/run.h5 holds, and trains nothing",
              Scope::placement);
  return options;
}

void resolve_defaults(Options& options, Config& config) {
  resolve_image_defaults(options, config.images, experiment());
  if (options.was_given("every") && options.was_given("eval_every") &&
      config.every != config.images.run.schedule.eval_every)
    throw UsageError("--every and --eval-every are the same; give one of them");
  options.set_default("eval_every", config.every);
  options.set_default("picture", config.images.run.out + "/fig3.png");
  (void)picture_format(config.picture);  // better now than after the training
}

/// What the run itself says of what was measured.
std::string caption_of(const std::string& config, const std::string& log) {
  const TrainedModel model = trained_model(config, log);
  int64_t points = 0;
  Options options("fig3", "");
  options.add("entropy_points", &points, "");
  options.peek_config_text(config, log);
  return "MNIST, " + std::string(method_row(model.method).title) +
         ", fully connected generator, d = " + std::to_string(model.networks.latent) + ". Means over " +
         std::to_string(points) + " latent points.";
}

void draw_figure(const Config& config) {
  const std::string log = config.images.run.out + "/run.h5";
  std::error_code ignored;
  if (!std::filesystem::exists(log, ignored))
    throw Error("there is no " + log + " to draw; give the folder of a run with --out, or no --plot-only");
  const RunLogContent run = read_run_log(log);
  save_figure(config.picture, figure3(run.metrics, config.more ? Figure3Panels::more : Figure3Panels::paper,
                                      caption_of(run.config, log)));
  std::printf("picture %s, numbers %s\n", config.picture.c_str(), log.c_str());
}

int draw_figure3(int argc, char** argv) {
  Config config;
  RunConfig& run = config.images.run;
  choose_method(run, experiment().networks.kind, "fig3", [&](Options& first) { first.peek(argc, argv); });
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  resolve_defaults(options, config);
  if (config.plot_only) {
    draw_figure(config);
    return 0;
  }
  const RunEnd end = run_images(config.images, options, argc, argv);
  draw_figure(config);
  return end.stop ? report_stop(*end.stop, end.iteration) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("fig3", [&] { return draw_figure3(argc, argv); });
}
