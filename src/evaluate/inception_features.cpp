// SPDX-License-Identifier: MIT
#include "evaluate/inception_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace ebm {

namespace {

/// A CPU's caches are small; a GPU wants work for all of it.
int64_t batch_for(const Kernels& kernels, int64_t wanted) {
  constexpr int64_t on_cpu = 16, on_gpu = 64;
  if (wanted > 0) return wanted;
  return kernels.is_cuda() ? on_gpu : on_cpu;
}

bool leaves_bias(Resize how) {
  return how == Resize::tf;
}

std::unique_ptr<Trace> trace_of(Network& network, int64_t batch) {
  return network.make_trace({.batch = batch,
                             .statistics = Statistics::running,
                             .precision = Precision::full,
                             .kept = Kept::nothing});
}

}  // namespace

InceptionFeatures::InceptionFeatures(Kernels& kernels, const TorchFile& weights, InceptionOptions options)
    : kernels_(kernels),
      options_(std::move(options)),
      checksum_(weights.sha256()),
      features_(kernels, inception_features(options_.shape)),
      logits_(kernels, inception_logits(options_.shape)) {
  options_.batch = batch_for(kernels, options_.batch);
  read_inception_weights(weights, kernels, features_, logits_);
  const auto& last = logits_.parameters().trainable().back();
  if (leaves_bias(options_.resize)) kernels.zero(last.value, last.size * static_cast<int64_t>(sizeof(float)));
  features_trace_ = trace_of(features_, options_.batch);
  logits_trace_ = trace_of(logits_, options_.batch);
  x_ = Tensor(kernels, options_.batch, features_.input());
  found_features_ = Tensor(kernels, options_.batch, features_.output());
  found_logits_ = Tensor(kernels, options_.batch, logits_.output());
}

/// The SHA-256 of the file that data/fetch.sh gets (data/files.txt): scores by other weights compare with nothing.
constexpr std::string_view published_weights =
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2";

std::string InceptionFeatures::name() const {
  return fmt::format("inception ({} resize, logits {} bias), weights SHA-256 {}{}",
                     to_string(options_.resize), leaves_bias(options_.resize) ? "without" : "with", checksum_,
                     checksum_ == published_weights ? "" : ", which are not the published ones");
}

/// The first rows of a batch's answers.
void InceptionFeatures::take(const Tensor& from, int64_t rows, float* to) const {
  const int64_t count = rows * from.columns();
  kernels_.download(to, from.data(), count * static_cast<int64_t>(sizeof(float)));
  if (!std::all_of(to, to + count, [](float x) { return std::isfinite(x); }))
    throw Error(
        "Inception's answer to an image is no finite number; are its weights those of data/fetch.sh?");
}

void InceptionFeatures::compute(const PixelValues& images, int64_t n, const Features& shape, float* features,
                                float* logits) {
  std::visit([&](auto pixels) { compute_pixels(pixels, n, shape, features, logits); }, images);
}

template <class Pixel>
void InceptionFeatures::compute_pixels(std::span<const Pixel> images, int64_t n, const Features& shape,
                                       float* features, float* logits) {
  if (n < 0 || std::ssize(images) < n * shape.size())
    throw Error(fmt::format("{} numbers are no {} images of {}", images.size(), n, to_string(shape)));
  if (!resize_ || !(resize_->image() == shape))
    resize_.emplace(kernels_, options_.resize, shape, options_.shape.side, options_.batch);
  for (int64_t first = 0; first < n; first += options_.batch) {
    const int64_t rows = std::min(options_.batch, n - first);
    resize_->run(images.data() + first * shape.size(), x_.row_range(0, rows));
    // A batch that is not full is filled up with images of the one before it.
    features_.forward(*features_trace_, x_, found_features_);
    logits_.forward(*logits_trace_, found_features_, found_logits_);
    take(found_features_, rows, features + first * this->features());
    take(found_logits_, rows, logits + first * classes());
    if (options_.progress) options_.progress(first + rows, n);
  }
}

std::unique_ptr<ImageFeatures> open_inception(Kernels& kernels, const std::filesystem::path& weights,
                                              InceptionOptions options) {
  if (std::error_code ignored; !std::filesystem::exists(weights, ignored)) {
    throw Error(fmt::format(
        "there are no weights of Inception at '{}'; data/fetch.sh inception gets them (data/inception)",
        weights.string()));
  }
  return std::make_unique<InceptionFeatures>(kernels, TorchFile(weights), std::move(options));
}

}  // namespace ebm
