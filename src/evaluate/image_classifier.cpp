// SPDX-License-Identifier: MIT
#include "evaluate/image_classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "io/atomic_file.h"
#include "models/image_classifier.h"
#include "train/state.h"

namespace ebm {

namespace {

constexpr int64_t classes = image_classes;
constexpr const char *kind_of_digits = "digit_classifier", *kind_of_images = "image_classifier";
constexpr const char* prefix = classifier_arrays;

/// The images of a file, which training and its test need in memory.
Dataset images_of(const ImageFile& file, const Features& shape) {
  const std::string name = file.path().string();
  if (!(file.info().shape == shape))
    throw Error(name + " has images of " + to_string(file.info().shape) + ", not of " + to_string(shape) +
                "; train and test with images of one shape");
  Dataset data = file.read_all();
  const auto wrong = std::find_if(data.labels.begin(), data.labels.end(),
                                  [](int64_t label) { return label < 0 || label >= classes; });
  if (wrong != data.labels.end())
    throw Error(name + " has the label " + std::to_string(*wrong) +
                "; a classifier has the classes 0 to 9, as MNIST and CIFAR-10");
  return data;
}

/// Images as the classifier takes them, in [0, 1].
void append_image(std::vector<float>& to, std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) to.push_back(static_cast<float>(byte) / 255);
}

std::vector<int64_t> largest(const std::vector<float>& logits, int64_t rows) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < rows; ++i) {
    const auto first = logits.begin() + i * classes;
    if (!std::all_of(first, first + classes, [](float x) { return std::isfinite(x); }))
      throw Error("the classifier's answer is no finite number; are the images?");
    result.push_back(std::max_element(first, first + classes) - first);
  }
  return result;
}

/// One training: buffers, and a step on some of the images.
class Training {
 public:
  Training(Kernels& kernels, Learner& learner, int64_t batch)
      : kernels_(kernels),
        learner_(learner),
        trace_(learner.network().make_trace(
            {.batch = batch, .statistics = Statistics::batch, .precision = Precision::full})),
        x_(kernels, batch, learner.network().input()),
        logits_(kernels, batch, flat(classes)),
        logits_bar_(kernels, batch, flat(classes)),
        loss_(kernels, batch),
        right_(kernels, batch),
        labels_(kernels, batch),
        iteration_(kernels, std::vector<uint64_t>{0}),
        not_finite_(kernels, std::vector<int32_t>{0}) {}

  void step(const Dataset& data, std::span<const int64_t> chosen) {
    std::vector<float> images;
    std::vector<int32_t> labels;
    for (const int64_t i : chosen) {
      append_image(images, data.image(i));
      labels.push_back(static_cast<int32_t>(data.labels[static_cast<size_t>(i)]));
    }
    x_.upload(images);
    labels_.upload(labels);
    Network& network = learner_.network();
    network.forward(*trace_, x_, logits_);
    kernels_.run(CrossEntropy{.rows = x_.rows(),
                              .columns = classes,
                              .logits = logits_.data(),
                              .label = labels_.data(),
                              .logits_bar = logits_bar_.data(),
                              .loss = loss_.data(),
                              .right = right_.data()});
    network.vjp(*trace_, logits_bar_, {}, Gradient::overwrite);
    learner_.step({iteration_.data(), not_finite_.data()});
    kernels_.run(Advance{.counter = iteration_.data()});
  }
  bool finite() const { return not_finite_.download().front() == 0; }

 private:
  Kernels& kernels_;
  Learner& learner_;
  std::unique_ptr<Trace> trace_;
  Tensor x_, logits_, logits_bar_;
  Buffer<float> loss_, right_;
  Buffer<int32_t> labels_;
  Buffer<uint64_t> iteration_;
  Buffer<int32_t> not_finite_;
};

}  // namespace

ImageClassifier::ImageClassifier(Kernels& kernels, const Features& images, const ClassifierOptions& options)
    : chunk_(images == digit_image ? 500 : 100),
      kernels_(&kernels),
      x_(kernels, chunk_, images),
      logits_(kernels, chunk_, flat(classes)) {
  make(options, 1);
}

/// A new network, whose rate falls over so many steps.
void ImageClassifier::make(const ClassifierOptions& options, int64_t steps) {
  OptimiserOptions optimiser;
  optimiser.adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
  optimiser.schedule.kind = RateSchedule::Kind::linear;
  optimiser.schedule.horizon = steps;
  learner_ = std::make_unique<Learner>(
      *kernels_, "classifier",
      [&] { return classifier_layers(input(), static_cast<uint64_t>(options.seed)); }, options.lr, optimiser);
  const auto trace = [this](Statistics statistics) {
    return learner_->network().make_trace(
        {.batch = chunk_, .statistics = statistics, .precision = Precision::full});
  };
  evaluated_ = trace(Statistics::running);
  live_ = trace(Statistics::batch);
}

Hdf5File open_classifier(const std::filesystem::path& path) {
  if (std::error_code ignored; !std::filesystem::exists(path, ignored)) {
    throw Error("there is no classifier '" + path.string() +
                "'; train one with ./experiments/digit_classifier or image_classifier, or give another "
                "--classifier");
  }
  Hdf5File file = Hdf5File::open_read(path);
  const std::string kind =
      file.has_attribute("/", "kind") ? file.read_attribute<std::string>("/", "kind") : "";
  if (kind != kind_of_digits && kind != kind_of_images)
    throw Error(path.string() +
                " holds no classifier; give one that digit_classifier or image_classifier wrote");
  return file;
}

Features classifier_input(const Hdf5File& file) {
  if (file.read_attribute<std::string>("/", "kind") == kind_of_digits) return digit_image;
  const auto size = [&](const char* name) { return file.read_attribute<int64_t>("/", name); };
  const Features images{.height = size("height"), .width = size("width"), .channels = size("channels")};
  require_classifier(images);
  return images;
}

ImageClassifier ImageClassifier::open(Kernels& kernels, const std::filesystem::path& path) {
  const Hdf5File file = open_classifier(path);
  ImageClassifier classifier(kernels, classifier_input(file),
                             {.seed = file.read_attribute<int64_t>("/", "seed")});
  read_network(file, kernels, classifier.learner_->network(), prefix);
  classifier.accuracy_ = file.read_attribute<double>("/", "accuracy");
  return classifier;
}

void ImageClassifier::train(const ImageFile& train, const ImageFile& test, const ClassifierOptions& options,
                            const std::function<void(int64_t, int64_t)>& progress) {
  const Dataset data = images_of(train, input()), held_out = images_of(test, input());
  const int64_t steps = std::ssize(data.labels) / options.batch;
  if (steps == 0)
    throw Error(train.path().string() + " has fewer images than a batch; give a smaller --batch");
  make(options, options.epochs * steps);
  constexpr uint32_t parameters = 0;  // noise streams
  learner_->initialize(static_cast<uint64_t>(options.seed), parameters, Initial::pytorch);
  Training training(*kernels_, *learner_, options.batch);
  std::vector<int64_t> order(data.labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(static_cast<uint64_t>(options.seed));
  const View values = learner_->network().parameters().values();
  std::vector<float> best;
  accuracy_ = 0;
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    for (int64_t step = 0; step < steps; ++step) {
      training.step(data, std::span(order).subspan(static_cast<size_t>(step * options.batch),
                                                   static_cast<size_t>(options.batch)));
      progress(epoch * steps + step + 1, options.epochs * steps);
    }
    if (!training.finite()) throw Error("the classifier's parameters are not finite; give a smaller --lr");
    const double share = share_right(held_out.images, held_out.labels);
    if (share <= accuracy_) continue;
    accuracy_ = share;
    best = download(*kernels_, values);
  }
  if (best.empty()) throw Error("the classifier learnt nothing; give another --lr or more --epochs");
  kernels_->upload(values.data, best.data(), values.bytes());
}

void ImageClassifier::save(const std::filesystem::path& path, const ClassifierOptions& options,
                           const std::string& data_checksum) const {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    write_arrays(file, *kernels_, "", network_arrays(learner_->network(), prefix));
    file.write_attribute("/", "kind", input() == digit_image ? kind_of_digits : kind_of_images);
    if (!(input() == digit_image)) {
      file.write_attribute("/", "height", input().height);
      file.write_attribute("/", "width", input().width);
      file.write_attribute("/", "channels", input().channels);
    }
    file.write_attribute("/", "accuracy", accuracy_);
    file.write_attribute("/", "seed", options.seed);
    file.write_attribute("/", "epochs", options.epochs);
    file.write_attribute("/", "batch", options.batch);
    file.write_attribute("/", "lr", options.lr);
    file.write_attribute("/", "data_checksum", data_checksum);
    file.close();
  });
}

std::vector<int64_t> ImageClassifier::classes_of(const std::vector<float>& images, ClassifierMode mode) {
  Trace& trace = mode == ClassifierMode::evaluated ? *evaluated_ : *live_;
  const int64_t size = input().size(), count = std::ssize(images) / size;
  std::vector<int64_t> all;
  for (int64_t first = 0; first < count; first += chunk_) {
    const int64_t rows = std::min(chunk_, count - first);
    std::vector<float> part(images.begin() + first * size, images.begin() + (first + rows) * size);
    part.resize(static_cast<size_t>(chunk_ * size), 0.0f);
    x_.upload(part);
    learner_->network().forward(trace, x_, logits_);
    const std::vector<int64_t> found = largest(logits_.download(), rows);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

double ImageClassifier::share_right(const std::vector<uint8_t>& images, const std::vector<int64_t>& labels) {
  std::vector<float> converted;
  append_image(converted, images);
  const std::vector<int64_t> found = classes_of(converted, ClassifierMode::evaluated);
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += found[i] == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace ebm
