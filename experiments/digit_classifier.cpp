// SPDX-License-Identifier: MIT
// Trains the classifier of digits that modes of StackedMNIST are counted with (./experiments/evaluate).
//
//   data/fetch.sh mnist && ./experiments/prepare_data --dataset mnist
//   ./experiments/digit_classifier
#include <cstdio>

#include "evaluate/digit_classifier.h"
#include "io/options.h"
#include "io/program.h"
#include "io/progress.h"
#include "io/signals.h"

namespace {

using namespace ebm;

struct Config {
  std::string data = "data/mnist-train.h5", test = "data/mnist-test.h5", out = "data/digit_classifier.h5",
              device = "auto";
  ClassifierOptions training;
};

Options declare_options(Config& config) {
  Options options("digit_classifier", "Trains a classifier of MNIST's digits, to count modes with.");
  options.add("data", &config.data, "images to train on");
  options.add("test", &config.test, "images to measure its accuracy with; the best epoch is kept");
  options.add("out", &config.out, "the classifier's file, replaced if it is there");
  options.add("epochs", &config.training.epochs, "over the images", {1, 100000});
  options.add("batch", &config.training.batch, "images of a step", {2, 1 << 20});
  options.add("lr", &config.training.lr, "Adam's rate", {1e-12, 1});
  options.add("seed", &config.training.seed, "of all random numbers", {0, INT64_MAX});
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  return options;
}

int train(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  const ImageFile data(config.data), test(config.test);
  const auto kernels = open_kernels(config.device);
  std::printf("device: %s\n", kernels->description().c_str());
  std::fflush(stdout);

  DigitClassifier classifier(*kernels, config.training);
  const StopRequest request;
  std::optional<Progress> progress;
  classifier.train(data, test, config.training, [&](int64_t done, int64_t steps) {
    if (const auto stop = request.requested())
      throw Stopped(*stop, ": " + config.out + " was not written; the same command begins anew");
    if (!progress) progress.emplace("digit classifier", steps);
    if (progress->due() || done == steps) progress->update(done, {{"accuracy", classifier.accuracy()}});
  });
  classifier.save(config.out, config.training, data.checksum());
  std::printf("done: %s, %.2f %% of %s right\n", config.out.c_str(), 100 * classifier.accuracy(),
              config.test.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("digit_classifier", [&] { return train(argc, argv); });
}
