// SPDX-License-Identifier: MIT
#include "runs/classifier_run.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "io/options.h"
#include "io/program.h"
#include "io/progress.h"
#include "io/signals.h"
#include "runs/data_files.h"

namespace ebm {

namespace {

struct Config {
  std::string data, test, out, device = "auto";
  bool download = true;
  ClassifierOptions training;
};

Options declare_options(Config& config, const ClassifierProgram& defaults) {
  config = {.data = defaults.data, .test = defaults.test, .out = defaults.out, .training = defaults.training};
  Options options(defaults.program, defaults.description);
  options.add("data", &config.data, "images to train on");
  options.add("test", &config.test, "images to measure its accuracy with; the best epoch is kept");
  options.add("out", &config.out, "the classifier's file, replaced if it is there");
  options.add("epochs", &config.training.epochs, "over the images", {1, 100000});
  options.add("batch", &config.training.batch, "images of a step", {2, 1 << 20});
  options.add("lr", &config.training.lr, "Adam's rate", {1e-12, 1});
  options.add("seed", &config.training.seed, "of all random numbers", {0, INT64_MAX});
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  options.add("download", &config.download, "get the default data where they are missing");
  return options;
}

int train(const ClassifierProgram& defaults, int argc, const char* const* argv) {
  Config config;
  Options options = declare_options(config, defaults);
  if (!options.parse(argc, argv)) return 0;
  if (config.download) {
    if (!options.was_given("data")) provide_image_file(config.data);
    if (!options.was_given("test")) provide_image_file(config.test);
  }
  const ImageFile data(config.data), test(config.test);
  const auto kernels = open_kernels(config.device);
  std::printf("device: %s\n", kernels->description().c_str());
  std::fflush(stdout);

  ImageClassifier classifier(*kernels, data.info().shape, config.training);
  const StopRequest request;
  std::optional<Progress> progress;
  std::string name = defaults.program;
  std::replace(name.begin(), name.end(), '_', ' ');
  classifier.train(data, test, config.training, [&](int64_t done, int64_t steps) {
    if (const auto stop = request.requested())
      throw Stopped(*stop, ": " + config.out + " was not written; the same command begins anew");
    if (!progress) progress.emplace(name, steps);
    if (progress->due() || done == steps) progress->update(done, {{"accuracy", classifier.accuracy()}});
  });
  classifier.save(config.out, config.training, data.checksum());
  std::printf("done: %s, %.2f %% of %s right\n", config.out.c_str(), 100 * classifier.accuracy(),
              config.test.c_str());
  return 0;
}

}  // namespace

int run_classifier_program(const ClassifierProgram& defaults, int argc, const char* const* argv) {
  return run_program(defaults.program, [&] { return train(defaults, argc, argv); });
}

}  // namespace ebm
