// SPDX-License-Identifier: MIT
#include "models/stack.h"

#include <utility>

#include "layers/batch_norm.h"
#include "layers/leaky_relu.h"
#include "layers/linear.h"
#include "layers/max_pool.h"
#include "layers/pooling.h"
#include "layers/prelu.h"
#include "layers/residual.h"
#include "layers/smooth_activation.h"
#include "layers/tanh.h"
#include "layers/transposed_convolution.h"

namespace ebm {

namespace {

constexpr Window pointwise{.kernel = {1, 1}};

}  // namespace

Stack& Stack::add(std::unique_ptr<Layer> layer, int64_t number) {
  features_ = layer->output();
  rows_.push_back({.child = {std::to_string(number), std::move(layer)}});
  return *this;
}

Stack& Stack::add(std::unique_ptr<Layer> layer, Activation activation) {
  const int64_t number = modules_;
  modules_ += activation.present() ? 2 : 1;
  return add(std::move(layer), number);
}

/// A layer whose bias, if it has one, is added by channel.
Stack& Stack::add_affine(std::unique_ptr<AffineLayer> layer, Activation activation) {
  AffineLayer* const added = layer.get();
  add(std::move(layer), activation);
  if (!activation.present()) rows_.back().biased = added;
  return *this;
}

Stack& Stack::linear(const Features& out, Bias bias) {
  auto layer = std::make_unique<Linear>(features_, out, bias, Activation{}, weight_norm_);
  return out.pixels() == 1 ? add_affine(std::move(layer)) : add(std::move(layer));
}
Stack& Stack::convolution(const Window& window, int64_t channels, Activation activation, Bias bias) {
  const Activation inside = fused(activation);
  return add_affine(std::make_unique<Convolution>(features_, channels, window, inside, weight_norm_, bias),
                    inside)
      .follow_smooth(activation);
}
Stack& Stack::transposed_convolution(const Window& window, int64_t channels, Activation activation,
                                     Bias bias) {
  const Activation inside = fused(activation);
  return add_affine(std::make_unique<TransposedConvolution>(features_, channels, window, inside, bias),
                    inside)
      .follow_smooth(activation);
}
Stack& Stack::batch_norm(float eps, Activation activation) {
  constexpr float momentum = 0.1f;
  const Activation inside = fused(activation);
  auto layer = std::make_unique<BatchNorm>(features_, eps, momentum, inside);
  BatchNorm* const added = layer.get();
  add(std::move(layer), inside);
  rows_.back().norm = added;
  return follow_smooth(activation);
}
Stack& Stack::prelu() {
  return curve_ ? smooth(*curve_) : add(std::make_unique<PreluLayer>(features_));
}
Stack& Stack::leaky(float slope) {
  return curve_ ? smooth(*curve_) : add(std::make_unique<LeakyReluLayer>(features_, slope));
}
Stack& Stack::tanh() {
  return add(std::make_unique<TanhLayer>(features_));
}
Stack& Stack::smooth(Curve curve) {
  return add(std::make_unique<SmoothActivation>(features_, curve));
}
Stack& Stack::max_pool(const Window& window) {
  return add(std::make_unique<MaxPool>(features_, window));
}
Stack& Stack::dropout(float p, Dropped dropped, uint64_t seed) {
  return add(std::make_unique<DropoutLayer>(features_, p, dropped, seed));
}
Stack& Stack::average_pool(const Extent& window) {
  return add(std::make_unique<AveragePool>(features_, window));
}
Stack& Stack::upsample(const Extent& window) {
  return add(std::make_unique<Upsample>(features_, window));
}
Stack& Stack::spatial_sum() {
  return add(std::make_unique<SpatialSum>(features_));
}
Stack& Stack::residual(Stack left, Stack right) {
  return add(std::make_unique<Residual>(Sequential::Child{"left", left.build()},
                                        Sequential::Child{"right", right.build()}));
}
Stack& Stack::residual(Stack left) {
  return add(std::make_unique<Residual>(Sequential::Child{"left", left.build()}));
}
Stack& Stack::reshape() {
  ++modules_;
  return *this;
}

Stack& Stack::pointwise_and_average_pool(int64_t channels, const Extent& window) {
  add(std::make_unique<AveragePool>(features_, window), modules_ + 1);
  add(std::make_unique<Convolution>(features_, channels, pointwise, Activation{}, weight_norm_), modules_);
  modules_ += 2;
  return *this;
}

Stack& Stack::upsample_and_pointwise(const Extent& window, int64_t channels) {
  add(std::make_unique<Convolution>(features_, channels, pointwise, Activation{}, weight_norm_),
      modules_ + 1);
  add(std::make_unique<Upsample>(features_, window), modules_);
  modules_ += 2;
  return *this;
}

std::unique_ptr<Layer> Stack::build() {
  std::vector<Sequential::Child> children;
  AffineLayer* before = nullptr;
  for (Row& row : rows_) {
    if (row.norm != nullptr && before != nullptr) row.norm->take_bias_of(*before);
    before = row.biased;
    children.push_back(std::move(row.child));
  }
  rows_.clear();
  return std::make_unique<Sequential>(std::move(children));
}

std::unique_ptr<Layer> network_of(const char* name, std::unique_ptr<Layer> part) {
  std::vector<Sequential::Child> parts;
  parts.push_back({name, std::move(part)});
  return std::make_unique<Sequential>(std::move(parts));
}

std::unique_ptr<Layer> network_of(const char* name, std::unique_ptr<Layer> part, const char* next_name,
                                  std::unique_ptr<Layer> next_part) {
  std::vector<Sequential::Child> parts;
  parts.push_back({name, std::move(part)});
  parts.push_back({next_name, std::move(next_part)});
  return std::make_unique<Sequential>(std::move(parts));
}

}  // namespace ebm
