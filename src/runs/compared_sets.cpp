// SPDX-License-Identifier: MIT
#include "runs/compared_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "evaluate/real_statistics.h"
#include "metrics/frechet_distance.h"
#include "metrics/inception_score.h"
#include "metrics/kernel_distance.h"
#include "metrics/precision_recall.h"

namespace ebm {

namespace {

bool needs_real_images(SetMeasure measure) {
  return measure != SetMeasure::score;
}
bool needs_real_features(SetMeasure measure) {
  return measure == SetMeasure::kernel_distance || measure == SetMeasure::precision_recall;
}

/// All repeats of some measures of one run.
class Comparison {
 public:
  Comparison(Kernels& kernels, MeasuredRun& run, ImageFeatures& features, const SetOptions& options)
      : kernels_(kernels), run_(run), features_(features), options_(options) {}

  void run(const std::vector<SetMeasure>& measures) {
    if (std::any_of(measures.begin(), measures.end(), needs_real_images)) open_real();
    std::vector<SetMeasure> missing;
    for (const SetMeasure measure : measures)
      if (run_.done(described(measure)) < options_.repeats) missing.push_back(measure);
    if (!missing.empty()) prepare(missing);
    for (int64_t i = 0; i < options_.repeats && !missing.empty(); ++i) repeat(i, missing);
    for (const SetMeasure measure : measures) run_.say(name_of(measure, options_.kind));
  }

 private:
  void open_real() {
    const std::string in = options_.in.empty() ? run_.model().held_out : options_.in;
    if (in.empty())
      throw UsageError(run_.folder().string() + " has held out no images to compare with; give --in");
    file_.emplace(in);
    if (const Features made = data_shape(run_.model().networks); !(file_->info().shape == made))
      throw Error(in + " has images of " + to_string(file_->info().shape) + ", the run makes " +
                  to_string(made) + "; give another --in");
  }

  void prepare(const std::vector<SetMeasure>& missing) {
    sampler_.emplace(kernels_, run_.checkpoint(), run_.model());
    if (std::none_of(missing.begin(), missing.end(), needs_real_images)) return;
    const bool of_features = std::any_of(missing.begin(), missing.end(), needs_real_features);
    real_ = real_statistics(features_, *file_, compared(),
                            of_features ? RealContent::features : RealContent::moments,
                            file_->path().parent_path() / "cache", run_.told("real images", compared()));
  }

  /// Samples that are compared with as many real images.
  int64_t compared() const { return std::min(options_.samples, file_->info().count); }

  RepeatedMeasure described(SetMeasure measure) const {
    RepeatedMeasure result{.name = name_of(measure, options_.kind),
                           .protocol = "",
                           .values = {},
                           .seed = options_.seed,
                           .repeats = options_.repeats};
    const char* const how = options_.values == SampleValues::bytes ? "in bytes" : "not rounded to bytes";
    const std::string samples = fmt::format("{} samples {}", options_.samples, how);
    std::string against;
    if (needs_real_images(measure)) {
      const ImageFile& file = *file_;
      against =
          fmt::format("{} samples {} against {} of {} images of {} {} ({})", compared(), how, compared(),
                      file.info().count, file.info().name, to_string(file.info().split), file.checksum());
    }
    switch (measure) {
      case SetMeasure::score:
        result.protocol = fmt::format("{}, logits, {} splits in numpy's order of seed {}", samples,
                                      options_.score_splits, fidelity_seed);
        result.values = {"mean", "deviation"};
        break;
      case SetMeasure::frechet_distance:
        result.protocol = against;
        result.values = {"distance"};
        break;
      case SetMeasure::kernel_distance:
        result.protocol =
            fmt::format("{}, {} subsets of {}", against, options_.kernel_subsets, subset_size());
        result.values = {"mean", "deviation"};
        break;
      case SetMeasure::precision_recall:
        result.protocol = fmt::format("{}, {} clusterings into {}", against, options_.clusterings,
                                      KMeansOptions{}.clusters);
        result.values = {"f8", "f1_8"};
        break;
    }
    result.protocol += ", features: " + features_.name();
    return result;
  }

  int64_t subset_size() const { return std::min(options_.kernel_subset_size, compared()); }

  /// Repeat i of those that lack it.
  void repeat(int64_t i, const std::vector<SetMeasure>& measures) {
    std::vector<SetMeasure> missing;
    for (const SetMeasure measure : measures)
      if (run_.done(described(measure)) == i) missing.push_back(measure);
    if (missing.empty()) return;
    const bool all = std::find(missing.begin(), missing.end(), SetMeasure::score) != missing.end();
    const int64_t count = all ? options_.samples : compared();
    const SetFeatures set = features_of_samples(
        kernels_, *sampler_, features_,
        {.count = count, .seed = static_cast<uint64_t>(options_.seed + i), .values = options_.values},
        run_.told(fmt::format("samples, repeat {} of {}", i + 1, options_.repeats), count));
    for (const SetMeasure measure : missing) run_.add(described(measure), measured(measure, set));
  }

  std::vector<double> measured(SetMeasure measure, const SetFeatures& set) const {
    switch (measure) {
      case SetMeasure::score: {
        NumpyRandom random(fidelity_seed);
        const auto score = inception_score(set.class_scores(), ClassScores::logits, options_.score_splits,
                                           random.permutation(set.class_scores().count()));
        return {score.mean, score.deviation};
      }
      case SetMeasure::frechet_distance: {
        MomentAccumulator moments(set.dim);
        moments.add(first_rows(set.rows(), compared()));
        return {frechet_distance(real_->moments, moments.moments())};
      }
      case SetMeasure::kernel_distance: {
        const auto distance = kernel_distance(
            first_rows(set.rows(), compared()), real_->set.rows(),
            {.subsets = options_.kernel_subsets,
             .subset_size = subset_size(),
             .seed = fidelity_seed,
             .told = run_.told(name_of(measure, options_.kind) + ", subsets", options_.kernel_subsets)});
        return {distance.mean, distance.deviation};
      }
      case SetMeasure::precision_recall:
        break;
    }
    const PrecisionRecall curve = precision_recall(
        kernels_, real_->set.rows(), first_rows(set.rows(), compared()),
        {.runs = options_.clusterings,
         .told = run_.told(name_of(measure, options_.kind) + ", clusterings", options_.clusterings)});
    return {largest_f_score(curve, 8), largest_f_score(curve, 1.0 / 8)};
  }

  Kernels& kernels_;
  MeasuredRun& run_;
  ImageFeatures& features_;
  const SetOptions& options_;
  std::optional<ImageFile> file_;
  std::optional<TrainedSampler> sampler_;
  std::optional<RealStatistics> real_;
};

}  // namespace

std::string name_of(SetMeasure measure, FeatureKind kind) {
  const bool inception = kind == FeatureKind::inception;
  switch (measure) {
    case SetMeasure::score:
      return inception ? "is" : "classifier_score";
    case SetMeasure::frechet_distance:
      return inception ? "fid" : "classifier_frechet";
    case SetMeasure::kernel_distance:
      return inception ? "kid" : "classifier_kernel_distance";
    case SetMeasure::precision_recall:
      break;
  }
  return inception ? "prd" : "classifier_precision_recall";
}

void compare_sets(Kernels& kernels, MeasuredRun& run, ImageFeatures& features,
                  const std::vector<SetMeasure>& measures, const SetOptions& options) {
  Comparison(kernels, run, features, options).run(measures);
}

}  // namespace ebm
