// SPDX-License-Identifier: MIT
// Every layer that the tests of the four maps run on, and the fixture that holds it beside its oracle.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "reference/derivatives.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {

using Rows = reference::Matrix<double>;

struct LayerCase {
  std::string name;
  reference::NetworkSpec spec;
  Features input;
  Statistics statistics = Statistics::running;
  std::function<std::unique_ptr<Layer>()> make = nullptr;  ///< null: layers_of(spec, input)
  Precision precision = Precision::training;
};
inline std::ostream& operator<<(std::ostream& out, const LayerCase& layer) {
  return out << layer.name;
}
std::vector<LayerCase> layer_cases();
/// Those of images, which need convolutions.
std::vector<LayerCase> image_layer_cases();
/// Those with activations of bfloat16: every kind of layer, some of the others.
std::vector<LayerCase> bfloat16_layer_cases();

/// "BatchNormOnBatch_cpu"
inline std::string layer_test_name(const testing::TestParamInfo<std::tuple<LayerCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}

/// k tangents of the samples 0 .. samples - 1.
struct Tangents {
  int64_t k, samples;
};

/// Where the values and the tangents of a pair lie: one after the other, or with a gap between them.
enum class Layout { stacked, apart };

/// The values and tangents of one array on a device, at first NaN.
class PairBlock {
 public:
  PairBlock(Kernels& kernels, Layout layout, const Features& features, int64_t rows, int64_t tangent_rows)
      : kernels_(kernels),
        block_(kernels, rows + gap(layout) + tangent_rows, features),
        views_{block_.row_range(0, rows), block_.row_range(rows + gap(layout), tangent_rows)} {
    forget();
  }
  PairBlock(Kernels& kernels, Layout layout, const Features& features, const Rows& value, const Rows& tangent)
      : PairBlock(kernels, layout, features, value.rows, tangent.rows) {
    upload(kernels, views_.value, value);
    upload(kernels, views_.tangent, tangent);
  }
  void forget() { block_.upload(std::vector<float>(static_cast<size_t>(block_.size()), float_nan)); }
  const Pair& views() const { return views_; }
  ConstPair const_views() const { return {views_.value, views_.tangent}; }
  std::vector<float> value() const { return download(kernels_, views_.value); }
  std::vector<float> tangent() const { return download(kernels_, views_.tangent); }

 private:
  static int64_t gap(Layout layout) { return layout == Layout::stacked ? 0 : 1; }

  Kernels& kernels_;
  Tensor block_;
  Pair views_;
};

/// One layer on one device, with random numbers, at one x.
class LayerMapsTest : public testing::TestWithParam<std::tuple<LayerCase, std::string>> {
 protected:
  static constexpr int64_t batch = 7, max_tangents = 3, part = 4;

  LayerMapsTest();

  std::unique_ptr<Trace> make_trace(const Tangents& tangents);
  /// All combinations of tangents that the layer can take.
  std::vector<Tangents> tangent_choices() const;
  bool piecewise_linear() const { return network_->piecewise_linear(case_.statistics); }

  Rows random_inputs(int64_t rows) { return random_rows(rows, network_->input()); }
  Rows random_outputs(int64_t rows) { return random_rows(rows, network_->output()); }
  Rows random_rows(int64_t rows, const Features& features) {
    return rounded_to_float(random_.matrix(rows, features.size()));
  }
  Tensor inputs(const Rows& values) { return on_device(*kernels_, values, network_->input()); }
  Tensor outputs(const Rows& values) { return on_device(*kernels_, values, network_->output()); }
  Tensor input_rows(int64_t rows) { return unwritten(*kernels_, rows, network_->input()); }
  Tensor output_rows(int64_t rows) { return unwritten(*kernels_, rows, network_->output()); }

  /// Fills the gradients with NaN or numbers that `mode` must remove, keep, or add to; then holds the
  /// gradients that a map left against the oracle's.
  void prepare_gradients(Gradient mode);
  void expect_gradients(Gradient mode, const std::vector<double>& w_bar);
  testing::AssertionResult agree(const std::vector<float>& actual,
                                 const std::vector<double>& expected) const {
    return close(actual, expected, tolerance_);
  }

  LayerCase case_;
  std::unique_ptr<Kernels> kernels_;
  reference::Random random_{7};
  reference::Network oracle_;
  std::unique_ptr<Network> network_;
  Rows x_;
  Tensor x_on_device_;
  Tolerance tolerance_;
  /// Gradients of parameters are sums over rows (and, for one slope, columns) of terms of size 1.
  Tolerance sum_tolerance_{.factor = 4, .reason = "sums of terms that cancel", .terms = 1};
  std::vector<double> gradients_before_;
};

}  // namespace ebm::test
