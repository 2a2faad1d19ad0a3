// SPDX-License-Identifier: MIT
// Measures trained models and writes RUN/evaluation.h5, which ./experiments/tables prints.
//
//   ./experiments/evaluate runs/mnist_stacked_meg_code_1 --metrics modes,jacobian
//   ./experiments/evaluate runs/cifar10_* --metrics is,fid,prd
//   ./experiments/evaluate runs/cifar10_* --metrics ood=data/svhn-test.h5,ood=data/cifar100-test.h5
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/fnv.h"
#include "evaluate/model_measures.h"
#include "evaluate/toy_bounds.h"
#include "evaluate/toy_evaluation.h"
#include "io/atomic_file.h"
#include "io/program.h"
#include "metrics/shape_templates.h"
#include "runs/compared_sets.h"
#include "train/state.h"

namespace {

using namespace ebm;

/// Whose way of counting modes (metrics/mode_counting.h).
enum class Counting { meg, vera };

struct Config {
  std::vector<std::string> runs;
  std::string metrics = "jacobian", classifier, in, ood, train, device = "auto";
  int64_t samples = 0, points = 256, images = 10000;
  ClassifierMode mode = ClassifierMode::evaluated;
  Counting counting = Counting::meg;
  bool noise = false;
  FeatureOptions features;
  SetOptions sets;
  ToyBoundOptions bounds;
};

constexpr int64_t meg_samples = 26000, vera_samples = 10000, shape_samples = 2600;

void declare_set_options(Options& options, Config& config) {
  options.group("Samples compared with real images (is, fid, kid, prd: Table 3)");
  options.add_choice("features", &config.features.kind,
                     {{"inception", FeatureKind::inception}, {"classifier", FeatureKind::classifier}},
                     "Inception's, or those of --classifier: other numbers under other names");
  options.add("inception", &config.features.inception, "its weights");
  options.add("resize", &config.features.resize,
              "to 299 x 299: tf (torch-fidelity), legacy_torch (the authors) or clean (clean-fid)");
  options.add_choice("sample_values", &config.sets.values,
                     {{"bytes", SampleValues::bytes}, {"floats", SampleValues::floats}},
                     "samples rounded to the bytes of a picture, as torch-fidelity takes them, or as they "
                     "are, as the authors do");
  options.add("is_splits", &config.sets.score_splits, "of the inception score; the authors take 1",
              {1, 1 << 20});
  options.add("kid_subsets", &config.sets.kernel_subsets, "of the kernel distance", {1, 1 << 20});
  options.add("kid_subset_size", &config.sets.kernel_subset_size, "samples of each, at most", {2, 1 << 20});
  options.add("prd_clusterings", &config.sets.clusterings, "of precision and recall", {1, 1000});
}

Options declare_options(Config& config) {
  Options options("evaluate", "Measures trained models, into RUN/evaluation.h5.");
  options.add_arguments("RUN", &config.runs, "folders of runs; each by its newest checkpoint");
  options.add("metrics", &config.metrics,
              "of modes, jacobian, anisotropy, is, fid, kid, prd, ood (that of --ood) or ood=FILE, and of "
              "points in the plane nll: one or several, with commas");
  options.add("repeats", &config.sets.repeats, "each with seeds of its own", {1, 1000});
  options.add("seed", &config.sets.seed, "of the first repeat", {0, INT64_MAX});
  options.add("samples", &config.samples,
              "of the generator; 0: modes 26,000, of shapes 2,600, or 10,000 as VERA counts them; is, fid, "
              "kid and prd 10,000",
              {0, 1 << 30});
  options.add(
      "in", &config.in,
      "fid, kid, prd, ood: real images (default: those that the run held out, data/cifar10-test.h5 say)");
  options.add(
      "classifier", &config.classifier,
      "modes, --features classifier: a file that digit_classifier or image_classifier wrote (default: "
      "data/digit_classifier.h5; for images of 32 x 32 data/cifar10_classifier.h5)");
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N");
  options.group("Modes of (stacked) MNIST (those of shapes need no option)");
  options.add_choice(
      "counting", &config.counting, {{"meg", Counting::meg}, {"vera", Counting::vera}},
      "KL from the uniform distribution; or VERA's, with noise where the generator has it, from the "
      "training labels with their digits reversed");
  options.add_choice(
      "classifier_mode", &config.mode,
      {{"evaluated", ClassifierMode::evaluated}, {"live_dropout", ClassifierMode::live_dropout}},
      "without dropout, or with it, as MEG's public code counts");
  options.add("noise", &config.noise, "of a generator with noise (vera): with it, instead of the means");
  options.add("train", &config.train, "--counting vera: images with labels (default: those of the training)");
  options.group("The generator's Jacobian: log det, d log s_1, condition, anisotropy (Table 2)");
  options.add("points", &config.points, "latent points", {1, 1 << 30});
  declare_set_options(options, config);
  options.group("Out-of-distribution detection by -E(x) (Table 4)");
  options.add("ood", &config.ood,
              "a file of images of another distribution than --in; more of them as ood=FILE in --metrics");
  options.add("images", &config.images, "of each file, at most", {1, 1 << 30});
  options.group("Bounds of the likelihood of points in the plane (nll)");
  options.add("nll_points", &config.bounds.points, "held-out points, and as many samples", {200, 10000000});
  options.add("nll_grid", &config.bounds.grid, "cells along each axis of [-4, 4]^2", {10, 4000});
  options.add("nll_weight", &config.bounds.weight, "M d / s_1^2 of the upper bound; the paper's is 0.001",
              {0, 1e9});
  return options;
}

/// The measures of one run.
class Evaluator {
 public:
  Evaluator(const Config& config, Kernels& kernels, MeasuredRun& run)
      : config_(config), kernels_(kernels), run_(run) {}

  void modes() {
    if (run_.model().shapes) return shape_modes();
    ImageClassifier classifier = ImageClassifier::open(kernels_, classifier_file());
    const bool live = config_.mode == ClassifierMode::live_dropout, vera = config_.counting == Counting::vera;
    const bool noise = config_.noise || (vera && !run_.model().noisy_generator.empty());
    const int64_t samples = config_.samples > 0 ? config_.samples : vera ? vera_samples : meg_samples;
    const std::string name = std::string("modes") + (vera ? "_vera" : "") + (live ? "_live" : "") +
                             (config_.noise ? "_noisy" : "");
    std::vector<int64_t> training;
    if (vera) training = training_digits();
    const int64_t channels = run_.model().networks.channels;
    repeat(name,
           fmt::format("{} samples{}, {}, classifier {} ({:.2f} % right, {}, {})", samples,
                       noise ? " with noise" : "",
                       vera ? "KL to the training labels, digits reversed" : "reverse KL to uniform",
                       classifier_file(), 100 * classifier.accuracy(), live ? "live dropout" : "evaluated",
                       fnv1a(read_file(classifier_file()))),
           {"modes", "kl"}, [&](uint64_t seed) {
             TrainedSampler sampler(kernels_, run_.checkpoint(), run_.model(),
                                    noise ? std::optional(seed) : std::nullopt);
             const std::vector<int64_t> digits = sampled_digits(
                 kernels_, sampler, classifier, {.count = samples, .seed = seed, .mode = config_.mode},
                 run_.told(name, samples));
             const DigitShape shape{.channels = channels, .classes = 10};
             const CountedModes found =
                 vera ? labelled_modes({digits}, {training, DigitOrder::first_is_lowest}, shape)
                      : uniform_modes(digits, shape);
             return std::vector<double>{static_cast<double>(found.modes), found.kl};
           });
  }

  void shape_modes() {
    const int64_t samples = config_.samples > 0 ? config_.samples : shape_samples;
    const Features shape = data_shape(run_.model().networks);
    const ShapeTemplates templates(shape);
    repeat(config_.noise ? "modes_noisy" : "modes",
           fmt::format("{} samples{}, nearest template of shapes of {}, reverse KL to uniform", samples,
                       config_.noise ? " with noise" : "", to_string(shape)),
           {"modes", "kl", "high_quality"}, [&](uint64_t seed) {
             TrainedSampler sampler(kernels_, run_.checkpoint(), run_.model(),
                                    config_.noise ? std::optional(seed) : std::nullopt);
             const ShapeCoverage found = templates.coverage(mode_samples(kernels_, sampler, samples, seed));
             return std::vector<double>{static_cast<double>(found.modes), found.kl, found.high_quality};
           });
  }

  void jacobian() {
    repeat_jacobian(
        "jacobian", {"log_det", "d_log_s1", "condition", "anisotropy"}, [](const JacobianNumbers& found) {
          return std::vector<double>{found.log_det, found.d_log_s1, found.condition, found.anisotropy};
        });
  }
  void anisotropy() {
    repeat_jacobian("anisotropy", {"anisotropy"},
                    [](const JacobianNumbers& found) { return std::vector<double>{found.anisotropy}; });
  }

  void compare(const std::vector<SetMeasure>& measures) {
    FeatureOptions how = config_.features;
    how.classifier = classifier_file();
    const auto features = open_image_features(kernels_, how);
    SetOptions sets = config_.sets;
    sets.kind = how.kind;
    sets.in = config_.in;
    if (config_.samples > 0) sets.samples = config_.samples;
    compare_sets(kernels_, run_, *features, measures, sets);
  }

  /// From the images of that file.
  void detection_of(const std::string& others) {
    const std::string in = config_.in.empty() ? run_.model().held_out : config_.in;
    if (in.empty()) throw UsageError("ood needs two files of images; give --in, for the run held none out");
    const ImageFile own(in), other(others);
    const auto named = [](const ImageFile& file) {
      return fmt::format("{} {} ({})", file.info().name, to_string(file.info().split), file.checksum());
    };
    const std::string protocol =
        fmt::format("-E(x), {} against {}, {} at most of each", named(own), named(other), config_.images);
    run_.once(fmt::format("ood_{}_{}", other.info().name, to_string(other.info().split)), protocol, [&] {
      Network network(kernels_, energy_layers(run_.model().networks));
      read_network(run_.checkpoint(), kernels_, network, run_.model().energy);
      NetworkEnergy energy(kernels_, network, 64);
      const auto energies = [&](const ImageFile& file) {
        return energies_of(energy, file, config_.images,
                           run_.told(file.info().name, std::min(config_.images, file.info().count)));
      };
      const Detection found = detection(energies(own), energies(other));
      return std::vector<MeasuredValue>{{"auroc", {found.auroc}},
                                        {"auprc", {found.precision_recall_area}},
                                        {"auprc_out", {found.precision_recall_area_out}},
                                        {"fpr80", {found.fpr80}}};
    });
  }

  void likelihood() {
    const TrainedModel& model = run_.model();
    if (!model.toy || !model.noisy_generator.empty())
      throw UsageError(
          run_.folder().string() +
          ": nll is measured of points in the plane, by a generator without noise; give such a run");
    Network energy(kernels_, energy_layers(model.networks));
    read_network(run_.checkpoint(), kernels_, energy, model.energy);
    TrainedSampler sampler(kernels_, run_.checkpoint(), model);
    ToyBoundOptions how = config_.bounds;
    const std::vector<float> data =
        held_out_points(kernels_, *model.toy, how.points, static_cast<uint64_t>(model.seed));
    repeat("nll",
           fmt::format("{} held-out points, as many samples, {}^2 cells, weight {}", how.points, how.grid,
                       how.weight),
           {"log_z", "nll", "lower", "lower_s1", "importance", "upper", "entropy", "entropy_neighbours"},
           [&](uint64_t seed) {
             how.seed = seed;
             const ToyBounds found =
                 toy_bounds(kernels_, energy, sampler.generator(), data, how, run_.told("nll", how.points));
             return std::vector<double>{
                 found.log_z,      found.nll,   found.lower,   found.lower_s1,
                 found.importance, found.upper, found.entropy, found.entropy_neighbours};
           });
  }

  void require_images() const { ebm::require_images(run_.model(), run_.folder().string()); }

 private:
  void repeat(const std::string& name, const std::string& protocol, const std::vector<std::string>& values,
              const std::function<std::vector<double>(uint64_t seed)>& once) {
    run_.repeat({.name = name,
                 .protocol = protocol,
                 .values = values,
                 .seed = config_.sets.seed,
                 .repeats = config_.sets.repeats},
                once);
  }

  void repeat_jacobian(const std::string& name, const std::vector<std::string>& values,
                       const std::function<std::vector<double>(const JacobianNumbers&)>& numbers) {
    constexpr int64_t batch = 16;
    TrainedSampler sampler(kernels_, run_.checkpoint(), run_.model());
    JacobianMonitor monitor(kernels_, sampler.generator(), batch);
    repeat(name, fmt::format("{} latent points, running statistics", config_.points), values,
           [&](uint64_t seed) {
             return numbers(measure_jacobian(kernels_, monitor, sampler.latent(), config_.points, seed,
                                             run_.told(name, config_.points)));
           });
  }

  std::string classifier_file() const {
    if (!config_.classifier.empty()) return config_.classifier;
    return run_.model().networks.kind == NetworkKind::mlp ? "data/digit_classifier.h5"
                                                          : "data/cifar10_classifier.h5";
  }

  std::vector<int64_t> training_digits() const {
    const std::string train = config_.train.empty() ? run_.model().data : config_.train;
    if (train.empty()) throw UsageError("--counting vera compares with the training labels; give --train");
    return digits_of_labels(ImageFile(train).read_labels(), run_.model().networks.channels);
  }

  const Config& config_;
  Kernels& kernels_;
  MeasuredRun& run_;
};

/// What --metrics asks for.
struct Wanted {
  std::vector<void (Evaluator::*)()> alone;
  std::vector<std::string> others;  // files of images of other distributions
  std::vector<SetMeasure> sets;     // measured together
  bool of_images = false;           // some are of images alone
};

/// The file that `name` of --metrics wants detected: ood=FILE, or ood with --ood FILE.
std::optional<std::string> other_of(const std::string& name, const std::string& ood) {
  constexpr std::string_view measure = "ood";
  if (name == measure) {
    if (ood.empty()) throw UsageError("ood needs a file of other images; give ood=FILE, or --ood");
    return ood;
  }
  if (!name.starts_with("ood=")) return std::nullopt;
  const std::string file = name.substr(measure.size() + 1);
  if (file.empty()) throw UsageError("'ood=' names no file of images; give ood=FILE");
  return file;
}

Wanted wanted_of(const std::string& list, const std::string& ood) {
  const std::map<std::string, void (Evaluator::*)()> alone{{"modes", &Evaluator::modes},
                                                           {"jacobian", &Evaluator::jacobian},
                                                           {"anisotropy", &Evaluator::anisotropy},
                                                           {"nll", &Evaluator::likelihood}};
  Wanted wanted;
  for (size_t first = 0; first <= list.size();) {
    const size_t end = std::min(list.find(',', first), list.size());
    const std::string name = list.substr(first, end - first);
    first = end + 1;
    const auto set = std::find_if(set_measures.begin(), set_measures.end(), [&](SetMeasure measure) {
      return name_of(measure, FeatureKind::inception) == name;
    });
    if (name.empty()) continue;
    wanted.of_images |= name != "nll";
    if (set != set_measures.end()) {
      wanted.sets.push_back(*set);
    } else if (const auto found = alone.find(name); found != alone.end()) {
      wanted.alone.push_back(found->second);
    } else if (const auto other = other_of(name, ood)) {
      wanted.others.push_back(*other);
    } else {
      throw UsageError("'" + name +
                       "' is no measure; --metrics takes modes, jacobian, anisotropy, is, fid, kid, prd, "
                       "ood, ood=FILE and nll");
    }
  }
  if (!ood.empty() && std::find(wanted.others.begin(), wanted.others.end(), ood) == wanted.others.end())
    throw UsageError("--ood " + ood + " is not used; add ood to --metrics");
  if (wanted.sets.empty() && wanted.alone.empty() && wanted.others.empty())
    throw UsageError("--metrics names no measure; give modes, jacobian, fid or another");
  return wanted;
}

int evaluate(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  const Wanted wanted = wanted_of(config.metrics, config.ood);
  const StopRequest request;
  std::vector<MeasuredRun> runs;
  for (const std::string& folder : config.runs) runs.emplace_back(folder, request);
  const auto kernels = open_kernels(config.device);
  for (MeasuredRun& run : runs) {
    Evaluator evaluator(config, *kernels, run);
    if (wanted.of_images) evaluator.require_images();
    for (const auto measure : wanted.alone) (evaluator.*measure)();
    for (const std::string& others : wanted.others) evaluator.detection_of(others);
    if (!wanted.sets.empty()) evaluator.compare(wanted.sets);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("evaluate", [&] { return evaluate(argc, argv); });
}
