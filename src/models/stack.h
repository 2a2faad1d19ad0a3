// SPDX-License-Identifier: MIT
// Networks written as the paper's tables are: one row after the other. Names are those of PyTorch's
// Sequential, which numbers every module, activations and reshapes too.
#pragma once

#include <vector>

#include <optional>

#include "kernels/formulas/smooth.h"
#include "layers/convolution.h"
#include "layers/dropout.h"
#include "layers/sequential.h"

namespace ebm {

inline constexpr Activation relu{.slope = 0};
inline Activation leaky_relu(float slope) {
  return {.slope = slope};
}

class BatchNorm;

class Stack {
 public:
  explicit Stack(const Features& input) : features_(input) {}

  /// What the last row gives.
  const Features& features() const { return features_; }
  /// How many modules of PyTorch's the rows so far are: the number of the next.
  int64_t modules() const { return modules_; }

  /// The weights of the linear rows and convolutions that follow (not of transposed ones) are normalised so.
  Stack& weight_norm(WeightNorm norm) {
    weight_norm_ = norm;
    return *this;
  }
  Stack& spectral() { return weight_norm(WeightNorm::spectral); }

  /// A smooth activation in the place of every PReLU and leaky ReLU that follows; none: those themselves.
  Stack& smooth_activations(std::optional<Curve> curve) {
    curve_ = curve;
    return *this;
  }

  // Each adds a row. An activation that is given is a module of its own to PyTorch.
  Stack& linear(const Features& out, Bias bias = Bias::yes);
  Stack& linear(int64_t out, Bias bias = Bias::yes) { return linear(flat(out), bias); }
  Stack& convolution(const Window& window, int64_t channels, Activation activation = {},
                     Bias bias = Bias::yes);
  Stack& transposed_convolution(const Window& window, int64_t channels, Activation activation = {},
                                Bias bias = Bias::yes);
  Stack& batch_norm(float eps, Activation activation = {});
  Stack& prelu();
  Stack& leaky(float slope);
  Stack& tanh();
  Stack& smooth(Curve curve);
  Stack& max_pool(const Window& window);
  Stack& dropout(float p, Dropped dropped, uint64_t seed);
  Stack& average_pool(const Extent& window);
  Stack& upsample(const Extent& window);
  Stack& spatial_sum();
  /// An empty stack that goes on from here, as one side of a block, with the same norm of weights and activations.
  Stack side() const {
    return std::move(Stack(features_).weight_norm(weight_norm_).smooth_activations(curve_));
  }
  /// left(x) + right(x), with names left.0. ... and right.0. ...
  Stack& residual(Stack left, Stack right);
  /// left(x) + x
  Stack& residual(Stack left);
  /// A module of PyTorch's that moves nothing in memory: a Flatten, or a reshape to the image that the linear
  /// row before it gives.
  Stack& reshape();

  // Two rows in the other order, which is the same function for a part of the work: a 1 x 1 convolution
  // treats all pixels alike, so it may as well run where they are fewer.

  /// A 1 x 1 convolution, then average pooling.
  Stack& pointwise_and_average_pool(int64_t channels, const Extent& window);
  /// Nearest upsampling, then a 1 x 1 convolution.
  Stack& upsample_and_pointwise(const Extent& window, int64_t channels);

  /// The network so far; the stack is empty afterwards. A batch norm right behind an affine row takes its bias
  /// (BatchNorm::take_bias_of), which spares a pass.
  std::unique_ptr<Layer> build();

 private:
  Stack& add(std::unique_ptr<Layer> layer, int64_t number);
  Stack& add(std::unique_ptr<Layer> layer, Activation activation = {});
  Stack& add_affine(std::unique_ptr<AffineLayer> layer, Activation activation = {});

  Features features_;
  /// The activation that a layer fuses: none where it is smooth, which follow_smooth() then adds.
  Activation fused(Activation activation) const { return curve_ ? Activation{} : activation; }
  Stack& follow_smooth(Activation activation) {
    return curve_ && activation.present() ? smooth(*curve_) : *this;
  }

  WeightNorm weight_norm_ = WeightNorm::none;
  std::optional<Curve> curve_;
  int64_t modules_ = 0;
  /// A row, and what build() may fuse of it: an affine layer whose bias is added by channel, a batch norm.
  struct Row {
    Sequential::Child child;
    AffineLayer* biased = nullptr;
    BatchNorm* norm = nullptr;
  };
  std::vector<Row> rows_;
};

/// A network of parts with names of their own, such as "main" and "expand".
std::unique_ptr<Layer> network_of(const char* name, std::unique_ptr<Layer> part);
std::unique_ptr<Layer> network_of(const char* name, std::unique_ptr<Layer> part, const char* next_name,
                                  std::unique_ptr<Layer> next_part);

}  // namespace ebm
