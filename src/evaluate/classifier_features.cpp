// SPDX-License-Identifier: MIT
#include "evaluate/classifier_features.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/fnv.h"
#include "evaluate/image_classifier.h"
#include "models/image_classifier.h"
#include "train/state.h"

namespace ebm {

namespace {

std::string hash_of(Kernels& kernels, const Network& body, const Network& head) {
  std::string text;
  for (const Network* network : {&body, &head}) {
    for (const NamedArray& array : network_arrays(*network, "")) {
      const std::vector<float> values = download(kernels, array.view);
      text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
  }
  return fnv1a({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

std::unique_ptr<Trace> evaluated(Network& network, int64_t batch) {
  return network.make_trace(
      {.batch = batch, .statistics = Statistics::running, .precision = Precision::full});
}

}  // namespace

ClassifierFeatures::ClassifierFeatures(Kernels& kernels, const std::filesystem::path& path)
    : ClassifierFeatures(kernels, open_classifier(path)) {}

ClassifierFeatures::ClassifierFeatures(Kernels& kernels, const Hdf5File& file)
    : body_(kernels, classifier_body_layers(classifier_input(file))),
      head_(kernels, classifier_head_layers(classifier_input(file))),
      body_trace_(evaluated(body_, chunk_)),
      head_trace_(evaluated(head_, chunk_)),
      images_(kernels, chunk_, body_.input()),
      features_(kernels, chunk_, body_.output()),
      logits_(kernels, chunk_, head_.output()) {
  read_network(file, kernels, body_, classifier_arrays);
  read_network(file, kernels, head_, classifier_arrays);
  name_ = fmt::format("classifier {} ({:.2f} % right, {})", file.path().filename().string(),
                      100 * file.read_attribute<double>("/", "accuracy"), hash_of(kernels, body_, head_));
}

void ClassifierFeatures::compute(const PixelValues& images, int64_t n, const Features& shape, float* features,
                                 float* logits) {
  std::visit([&](auto pixels) { compute_pixels(pixels, n, shape, features, logits); }, images);
}

template <class Pixel>
void ClassifierFeatures::compute_pixels(std::span<const Pixel> images, int64_t n, const Features& shape,
                                        float* features, float* logits) {
  if (!(shape == body_.input()) || std::ssize(images) != n * shape.size())
    throw Error(
        fmt::format("{} is of images of {}, not of {} images of {} ({} numbers); give another --classifier",
                    name_, to_string(body_.input()), n, to_string(shape), images.size()));
  const auto append = [](const Tensor& rows, int64_t count, float* to) {
    const std::vector<float> values = rows.download();
    std::copy_n(values.begin(), count * rows.features().size(), to);
  };
  for (int64_t first = 0; first < n; first += chunk_) {
    const int64_t rows = std::min(chunk_, n - first);
    std::vector<float> in_unit_interval(static_cast<size_t>(chunk_ * shape.size()));
    std::transform(images.begin() + first * shape.size(), images.begin() + (first + rows) * shape.size(),
                   in_unit_interval.begin(), [](Pixel pixel) { return static_cast<float>(pixel) / 255; });
    images_.upload(in_unit_interval);
    body_.forward(*body_trace_, images_, features_);
    head_.forward(*head_trace_, features_, logits_);
    append(features_, rows, features + first * this->features());
    append(logits_, rows, logits + first * classes());
  }
}

}  // namespace ebm
