// SPDX-License-Identifier: MIT
// Measures trained models and writes RUN/evaluation.h5, which ./experiments/tables prints.
//
//   ./experiments/evaluate runs/mnist_stacked_meg_code_1 --metrics modes,jacobian
//   ./experiments/evaluate runs/cifar10_* --metrics ood --ood data/cifar100-test.h5
#include <fmt/format.h>

#include <cstdio>

#include "evaluate/evaluation_file.h"
#include "evaluate/model_measures.h"
#include "io/program.h"
#include "io/progress.h"
#include "io/signals.h"
#include "runs/trained_model.h"
#include "train/run_folder.h"
#include "train/state.h"

namespace {

using namespace ebm;

struct Config {
  std::vector<std::string> runs;
  std::string metrics = "jacobian", classifier = "data/digit_classifier.h5", in, ood, device = "auto";
  int64_t seed = 1, repeats = 3, samples = 26000, points = 256, images = 10000;
  ClassifierMode mode = ClassifierMode::evaluated;
  bool noise = false;
};

Options declare_options(Config& config) {
  Options options("evaluate", "Measures trained models on images, into RUN/evaluation.h5.");
  options.add_arguments("RUN", &config.runs, "folders of runs; each by its newest checkpoint");
  options.add("metrics", &config.metrics, "of modes, jacobian, ood: one or several, with commas");
  options.add("repeats", &config.repeats, "each with seeds of its own", {1, 1000});
  options.add("seed", &config.seed, "of the first repeat", {0, INT64_MAX});
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  options.group("Modes of (stacked) MNIST");
  options.add("samples", &config.samples, "that are counted", {1, 1 << 30});
  options.add("classifier", &config.classifier, "a file that digit_classifier wrote");
  options.add_choice(
      "classifier_mode", &config.mode,
      {{"evaluated", ClassifierMode::evaluated}, {"live_dropout", ClassifierMode::live_dropout}},
      "without dropout, or with it, as MEG's public code counts");
  options.add("noise", &config.noise, "of a generator with noise (vera): with it, instead of the means");
  options.group("The generator's Jacobian: log det, d log s_1, condition, anisotropy (Table 2)");
  options.add("points", &config.points, "latent points", {1, 1 << 30});
  options.group("Out-of-distribution detection by -E(x) (Table 4)");
  options.add("in", &config.in, "images of the distribution (default: those that the run held out)");
  options.add("ood", &config.ood, "images of another");
  options.add("images", &config.images, "of each file, at most", {1, 1 << 30});
  return options;
}

/// A run's newest checkpoint and what is known of it.
struct Run {
  std::filesystem::path folder, checkpoint;
  CheckpointInfo info;
  TrainedModel model;
};

Run open_run(const std::string& folder) {
  if (!is_run_folder(folder)) throw Error("'" + folder + "' is no folder of a run");
  const auto checkpoint = newest_checkpoint(folder);
  if (!checkpoint) throw Error(folder + " has no checkpoints/iteration-N.h5");
  CheckpointInfo info = read_checkpoint_info(*checkpoint);
  TrainedModel model = trained_model(info.config, checkpoint->string());
  return {folder, *checkpoint, std::move(info), std::move(model)};
}

/// The measures of one run.
class Evaluator {
 public:
  Evaluator(const Config& config, Kernels& kernels, const Run& run, const StopRequest& request)
      : config_(config),
        kernels_(kernels),
        run_(run),
        request_(request),
        checkpoint_(open_checkpoint(run.checkpoint)),
        file_(run.folder / "evaluation.h5") {}

  void measure(const std::string& metric) {
    if (metric == "modes") return modes();
    if (metric == "jacobian") return jacobian();
    if (metric == "ood") return detection_of_others();
    throw UsageError("'" + metric + "' is no measure; --metrics takes modes, jacobian and ood");
  }

 private:
  /// Told, with a progress line; ends the program when a signal asks.
  Told told(const std::string& what, int64_t total) {
    auto progress = std::make_shared<Progress>(run_.folder.string() + " " + what, total);
    return [this, progress, total](int64_t done) {
      if (const auto stop = request_.requested())
        throw Stopped(*stop, "; the same command goes on with what is not yet measured");
      if (progress->due() || done >= total) progress->update(std::min(done, total), {});
    };
  }

  /// Measures what is not there yet: `once(seed)` gives the numbers of one repeat.
  void repeat(const std::string& name, const std::string& protocol, const std::vector<std::string>& values,
              const std::function<std::vector<double>(int64_t seed)>& once) {
    const std::string how =
        protocol + fmt::format(", seeds {} to {}", config_.seed, config_.seed + config_.repeats - 1);
    if (!file_.has(name, how, run_.info.iteration)) {
      MeasuredMetric metric{.name = name, .protocol = how, .iteration = run_.info.iteration, .values = {}};
      for (const std::string& value : values) metric.values.push_back({value, {}});
      for (int64_t i = 0; i < config_.repeats; ++i) {
        const std::vector<double> numbers = once(config_.seed + i);
        for (size_t k = 0; k < numbers.size(); ++k) metric.values[k].repeats.push_back(numbers[k]);
      }
      file_.put(run_.info.config, std::move(metric));
    }
    say(name);
  }

  void say(const std::string& name) const {
    for (const MeasuredMetric& metric : file_.metrics()) {
      if (metric.name != name) continue;
      std::string line = run_.folder.string() + " " + name + ":";
      for (const MeasuredValue& value : metric.values) {
        line += fmt::format("  {}", value.name);
        for (const double x : value.repeats) line += fmt::format(" {:.6g}", x);
      }
      std::printf("%s\n", line.c_str());
    }
    std::fflush(stdout);
  }

  void modes() {
    DigitClassifier classifier = DigitClassifier::open(kernels_, config_.classifier);
    const bool live = config_.mode == ClassifierMode::live_dropout;
    const std::string protocol =
        fmt::format("{} samples{}, reverse KL to uniform, classifier {} ({:.2f} % right, {})",
                    config_.samples, config_.noise ? " with noise" : "", config_.classifier,
                    100 * classifier.accuracy(), live ? "live dropout" : "evaluated");
    const std::string name = std::string("modes") + (live ? "_live" : "") + (config_.noise ? "_noisy" : "");
    repeat(name, protocol, {"modes", "kl"}, [&](int64_t seed) {
      const auto noise = config_.noise ? std::optional(static_cast<uint64_t>(seed)) : std::nullopt;
      TrainedSampler sampler(kernels_, checkpoint_, run_.model, noise);
      const CountedModes found = count_modes(kernels_, sampler, classifier, config_.mode, config_.samples,
                                             static_cast<uint64_t>(seed), told(name, config_.samples));
      return std::vector<double>{static_cast<double>(found.modes), found.kl};
    });
  }

  void jacobian() {
    constexpr int64_t batch = 16;
    TrainedSampler sampler(kernels_, checkpoint_, run_.model);
    JacobianMonitor monitor(kernels_, sampler.generator(), batch);
    repeat("jacobian", fmt::format("{} latent points, running statistics", config_.points),
           {"log_det", "d_log_s1", "condition", "anisotropy"}, [&](int64_t seed) {
             const JacobianNumbers found =
                 measure_jacobian(kernels_, monitor, sampler.latent(), config_.points,
                                  static_cast<uint64_t>(seed), told("jacobian", config_.points));
             return std::vector<double>{found.log_det, found.d_log_s1, found.condition, found.anisotropy};
           });
  }

  void detection_of_others() {
    const std::string in = config_.in.empty() ? run_.model.held_out : config_.in;
    if (in.empty() || config_.ood.empty())
      throw UsageError("ood needs two files of images; give --ood, and --in where the run held none out");
    const ImageFile own(in), other(config_.ood);
    const std::string name = "ood_" + other.info().name;
    const std::string protocol = fmt::format("-E(x), {} {} against {} {}, {} at most of each",
                                             own.info().name, to_string(own.info().split), other.info().name,
                                             to_string(other.info().split), config_.images);
    if (!file_.has(name, protocol, run_.info.iteration)) {
      Network network(kernels_, energy_layers(run_.model.networks));
      read_network(checkpoint_, kernels_, network, run_.model.energy);
      NetworkEnergy energy(kernels_, network, 64);
      const auto energies = [&](const ImageFile& file) {
        return energies_of(energy, file, config_.images,
                           told(file.info().name, std::min(config_.images, file.info().count)));
      };
      const Detection found = detection(energies(own), energies(other));
      file_.put(run_.info.config, {.name = name,
                                   .protocol = protocol,
                                   .iteration = run_.info.iteration,
                                   .values = {{"auroc", {found.auroc}},
                                              {"auprc", {found.precision_recall_area}},
                                              {"auprc_out", {found.precision_recall_area_out}},
                                              {"fpr80", {found.fpr80}}}});
    }
    say(name);
  }

  const Config& config_;
  Kernels& kernels_;
  const Run& run_;
  const StopRequest& request_;
  Hdf5File checkpoint_;
  EvaluationFile file_;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t first = 0; first <= list.size();) {
    const size_t end = std::min(list.find(',', first), list.size());
    if (end > first) parts.push_back(list.substr(first, end - first));
    first = end + 1;
  }
  if (parts.empty()) throw UsageError("--metrics names no measure; give modes, jacobian or ood");
  return parts;
}

int evaluate(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  const std::vector<std::string> metrics = split(config.metrics);
  std::vector<Run> runs;
  for (const std::string& folder : config.runs) runs.push_back(open_run(folder));
  const auto kernels = open_kernels(config.device);
  const StopRequest request;
  for (const Run& run : runs) {
    Evaluator evaluator(config, *kernels, run, request);
    for (const std::string& metric : metrics) evaluator.measure(metric);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("evaluate", [&] { return evaluate(argc, argv); });
}
