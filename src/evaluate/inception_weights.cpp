// SPDX-License-Identifier: MIT
#include "evaluate/inception_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace ebm {

namespace {

constexpr double eps = 1e-3;

Error no_inception(const TorchFile& file, const std::string& why) {
  return Error(
      fmt::format("'{}' has not the weights of Inception that are asked for: {}; data/fetch.sh inception "
                  "gets the right ones",
                  file.path().string(), why));
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "a single number" : text;
}

/// Arrays of the file that are taken one after another; what is left in the end is one too many.
class Source {
 public:
  explicit Source(const TorchFile& file) : file_(file) {
    for (const std::string& name : file.names()) left_.insert(name);
  }

  std::vector<float> take(const std::string& name, const std::vector<int64_t>& shape) {
    if (!file_.has(name)) throw no_inception(file_, fmt::format("it has no '{}'", name));
    if (file_.shape(name) != shape)
      throw no_inception(
          file_, fmt::format("'{}' is {} and not {}", name, text_of(file_.shape(name)), text_of(shape)));
    left_.erase(name);
    std::vector<float> values = file_.values(name);
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }))
      throw no_inception(file_, fmt::format("'{}' has numbers that are not finite", name));
    return values;
  }
  /// Counts of batches, which a batch norm keeps and evaluation does not need.
  void leave(const std::string& name) { left_.erase(name); }
  void finish() const {
    if (!left_.empty()) throw no_inception(file_, fmt::format("it has '{}' besides", *left_.begin()));
  }

 private:
  const TorchFile& file_;
  std::set<std::string> left_;
};

void set(Kernels& kernels, const Parameter& parameter, const std::vector<float>& pytorch) {
  const std::vector<float> memory = to_memory_order(pytorch, parameter.order);
  kernels.upload(parameter.value, memory.data(), parameter.size * static_cast<int64_t>(sizeof(float)));
}

/// A convolution named `name` from its weight and the batch norm behind it.
void set_folded(Source& source, Kernels& kernels, const std::string& name, const Parameter& weight,
                const Parameter& bias, const TorchFile& file) {
  std::vector<float> w = source.take(name + ".conv.weight", weight.shape);
  const auto of_norm = [&](const char* part) { return source.take(name + ".bn." + part, bias.shape); };
  std::vector<float> shift = of_norm("bias");
  const std::vector<float> gain = of_norm("weight"), mean = of_norm("running_mean"),
                           variance = of_norm("running_var");
  source.leave(name + ".bn.num_batches_tracked");
  const size_t each = w.size() / shift.size();
  for (size_t o = 0; o < shift.size(); ++o) {
    if (!(variance[o] >= 0))
      throw no_inception(file, fmt::format("'{}.bn.running_var' has a negative number", name));
    const double scale = double{gain[o]} / std::sqrt(double{variance[o]} + eps);
    for (size_t i = o * each; i < (o + 1) * each; ++i) w[i] = static_cast<float>(scale * w[i]);
    shift[o] = static_cast<float>(double{shift[o]} - scale * mean[o]);
  }
  set(kernels, weight, w);
  set(kernels, bias, shift);
}

}  // namespace

void read_inception_weights(const TorchFile& file, Kernels& kernels, Network& features, Network& logits) {
  Source source(file);
  const std::string end = ".weight";
  // Each weight is followed by its bias.
  const auto& folded = features.parameters().trainable();
  for (size_t i = 0; i + 1 < folded.size(); i += 2) {
    const std::string& name = folded[i].name;
    set_folded(source, kernels, name.substr(0, name.size() - end.size()), folded[i], folded[i + 1], file);
  }
  for (const Parameter& parameter : logits.parameters().trainable())
    set(kernels, parameter, source.take(parameter.name, parameter.shape));
  source.finish();
}

}  // namespace ebm
