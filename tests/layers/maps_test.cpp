// SPDX-License-Identifier: MIT
// Every map of every layer against dual and hyper-dual numbers in float64: written once, run on each layer of
// layer_cases() and each device.
#include "layers/layer_case.h"

namespace ebm::test {
namespace {

constexpr Gradient gradient_modes[] = {Gradient::ignore, Gradient::overwrite, Gradient::accumulate};
constexpr Layout layouts[] = {Layout::stacked, Layout::apart};

std::string describe(const Tangents& t) {
  return std::to_string(t.k) + " tangents of " + std::to_string(t.samples) + " samples";
}

/// Tangent rows of the first `samples` samples, with rows of zeros for the others (the oracle knows no part
/// of a batch), and back.
Rows for_all(const Rows& rows, int64_t samples, int64_t batch) {
  const int64_t k = rows.rows / samples;
  Rows all(k * batch, rows.cols);
  for (int64_t t = 0; t < k; ++t)
    for (int64_t b = 0; b < samples; ++b) all.set_row(t * batch + b, rows.row(t * samples + b));
  return all;
}
Rows of_part(const Rows& all, int64_t samples, int64_t batch) {
  const int64_t k = all.rows / batch;
  Rows rows(k * samples, all.cols);
  for (int64_t t = 0; t < k; ++t)
    for (int64_t b = 0; b < samples; ++b) rows.set_row(t * samples + b, all.row(t * batch + b));
  return rows;
}

TEST_P(LayerMapsTest, Forward) {
  const auto trace = make_trace({1, batch});
  const Tensor y = output_rows(batch);
  network_->forward(*trace, x_on_device_, y);
  EXPECT_TRUE(agree(y.download(), oracle_(x_).values));
  const std::vector<float> running = running_statistics(*kernels_, *network_);
  if (case_.statistics == Statistics::running) {
    EXPECT_EQ(running, reference::to_float(oracle_.running));
  } else if (!running.empty()) {
    EXPECT_TRUE(agree(running, oracle_.running_after(x_)));
  }
}

TEST_P(LayerMapsTest, Jvp) {
  for (const Tangents& tangents : tangent_choices()) {
    SCOPED_TRACE(describe(tangents));
    const Rows x_dot = random_inputs(tangents.k * tangents.samples);
    const Tensor x_dot_on_device = inputs(x_dot);
    const Tensor y = output_rows(batch), y_dot = output_rows(x_dot.rows);
    load(*kernels_, *network_, oracle_);
    const auto trace = make_trace(tangents);
    network_->forward(*trace, x_on_device_, y);
    network_->jvp(*trace, x_dot_on_device, y_dot);
    const Rows expected =
        reference::jvp_many(oracle_, x_, oracle_.parameters, for_all(x_dot, tangents.samples, batch),
                            reference::TangentOrder::by_tangent);
    EXPECT_TRUE(agree(y_dot.download(), of_part(expected, tangents.samples, batch).values));
  }
}

TEST_P(LayerMapsTest, ForwardJvp) {
  for (const Tangents& tangents : tangent_choices()) {
    for (const Layout layout : layouts) {
      SCOPED_TRACE(describe(tangents) + (layout == Layout::stacked ? ", stacked" : ""));
      load(*kernels_, *network_, oracle_);
      const Rows x_dot = random_inputs(tangents.k * tangents.samples);
      const PairBlock x(*kernels_, layout, network_->input(), x_, x_dot);
      const PairBlock y(*kernels_, layout, network_->output(), batch, x_dot.rows);
      const auto trace = make_trace(tangents);
      network_->forward_jvp(*trace, x.const_views(), y.views());
      const Rows expected =
          reference::jvp_many(oracle_, x_, oracle_.parameters, for_all(x_dot, tangents.samples, batch),
                              reference::TangentOrder::by_tangent);
      EXPECT_TRUE(agree(y.value(), oracle_(x_).values));
      EXPECT_TRUE(agree(y.tangent(), of_part(expected, tangents.samples, batch).values));
      if (case_.statistics == Statistics::batch && !oracle_.running.empty()) {
        EXPECT_TRUE(agree(running_statistics(*kernels_, *network_), oracle_.running_after(x_)));
      }
    }
  }
}

TEST_P(LayerMapsTest, Vjp) {
  const Rows y_bar = random_outputs(batch);
  const reference::Vjp expected = reference::vjp(oracle_, x_, oracle_.parameters, y_bar);
  const Tensor y_bar_on_device = outputs(y_bar), y = output_rows(batch);
  const auto trace = make_trace({1, batch});
  network_->forward(*trace, x_on_device_, y);
  for (const Gradient mode : gradient_modes) {
    for (const bool x_bar_wanted : {true, false}) {
      SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)) + (x_bar_wanted ? ", x_bar" : ""));
      prepare_gradients(mode);
      const Tensor x_bar = x_bar_wanted ? input_rows(batch) : Tensor();
      network_->vjp(*trace, y_bar_on_device, x_bar, mode);
      if (x_bar_wanted) {
        EXPECT_TRUE(agree(x_bar.download(), expected.x_bar.values));
      }
      expect_gradients(mode, expected.w_bar);
    }
  }
}

/// What a call of vjp_of_jvp asks for besides x_dot_bar.
struct Wanted {
  Gradient gradient;
  bool value, tangent;

  std::string text() const {
    return "mode " + std::to_string(static_cast<int>(gradient)) + (value ? ", x_bar" : "") +
           (tangent ? ", x_dot_bar" : "");
  }
};

TEST_P(LayerMapsTest, VjpOfJvp) {
  for (const Tangents& tangents : tangent_choices()) {
    for (const bool value_cotangent : {true, false}) {
      const int64_t rows = tangents.k * tangents.samples;
      const Rows x_dot = random_inputs(rows), y_dot_bar = random_outputs(rows);
      const Rows y_bar = value_cotangent ? random_outputs(batch) : Rows(batch, network_->output().size());
      const reference::VjpOfJvp expected =
          reference::vjp_of_jvp_many(oracle_, x_, oracle_.parameters, for_all(x_dot, tangents.samples, batch),
                                     y_bar, for_all(y_dot_bar, tangents.samples, batch));
      const std::vector<double> x_dot_bar = of_part(expected.x_dot_bar, tangents.samples, batch).values;
      const bool has_value = value_cotangent || !piecewise_linear();
      std::vector<Wanted> calls;
      for (const Gradient mode : gradient_modes) {
        calls.push_back({mode, has_value, true});
        if (has_value) calls.push_back({mode, true, false});
        calls.push_back({mode, false, true});
        calls.push_back({mode, false, false});
      }

      const auto trace = make_trace(tangents);
      for (const Layout layout : layouts) {
        const PairBlock x(*kernels_, layout, network_->input(), x_, x_dot);
        const PairBlock y(*kernels_, layout, network_->output(), batch, rows);
        const PairBlock bars(*kernels_, layout, network_->output(), y_bar, y_dot_bar);
        PairBlock x_bars(*kernels_, layout, network_->input(), batch, rows);
        load(*kernels_, *network_, oracle_);  // a forward pass may move what the next one starts from
        network_->forward_jvp(*trace, x.const_views(), y.views());
        for (const Wanted& wanted : calls) {
          SCOPED_TRACE(describe(tangents) + (layout == Layout::stacked ? ", stacked, " : ", apart, ") +
                       (value_cotangent ? "" : "no value cotangent, ") + wanted.text());
          prepare_gradients(wanted.gradient);
          x_bars.forget();
          network_->vjp_of_jvp(
              *trace, {value_cotangent ? bars.const_views().value : ConstView{}, bars.const_views().tangent},
              {wanted.value ? x_bars.views().value : View{},
               wanted.tangent ? x_bars.views().tangent : View{}},
              wanted.gradient);
          if (wanted.value) {
            EXPECT_TRUE(agree(x_bars.value(), expected.x_bar.values));
          }
          if (wanted.tangent) {
            EXPECT_TRUE(agree(x_bars.tangent(), x_dot_bar));
          }
          expect_gradients(wanted.gradient, expected.w_bar);
        }
      }
    }
  }
}

/// sum_i values[i] <y_bar_i, y_i> + sum_t tangents[i, t] <y_bar_i, y_dot_ti> is what vjp_of_jvp takes
/// backwards from weighted cotangents: those of the first `samples` samples, tangent-major.
Rows weighted(const Rows& y_bar, const std::vector<double>& weights, int64_t samples) {
  Rows result(std::ssize(weights), y_bar.cols);
  const int64_t k = result.rows / samples;
  for (int64_t i = 0; i < samples; ++i) {
    for (int64_t t = 0; t < k; ++t) {
      result.set_row(t * samples + i,
                     reference::scale(weights[static_cast<size_t>(i * k + t)], y_bar.row(i)));
    }
  }
  return result;
}

TEST_P(LayerMapsTest, VjpShared) {
  std::vector<std::pair<Tangents, bool>> choices;  // with factors of the values or without
  for (const Tangents& tangents : tangent_choices()) {
    choices.emplace_back(tangents, true);
    if (tangents.samples == batch) choices.emplace_back(tangents, false);
  }
  for (const auto& [tangents, has_values] : choices) {
    const int64_t samples = tangents.samples, rows = tangents.k * samples;
    const Rows x_dot = random_inputs(rows), y_bar = random_outputs(batch);
    const std::vector<double> values = has_values ? reference::rounded_to_float(random_.normals(batch))
                                                  : std::vector<double>(static_cast<size_t>(batch)),
                              factors = reference::rounded_to_float(random_.normals(rows));
    const Tensor x_dot_on_device = inputs(x_dot), y_bar_on_device = outputs(y_bar);
    const Buffer<float> values_on_device(*kernels_, reference::to_float(values)),
        factors_on_device(*kernels_, reference::to_float(factors));
    const SharedWeights weights{has_values ? values_on_device.data() : nullptr, factors_on_device.data()};
    const Tensor y = output_rows(batch), y_dot = output_rows(rows);
    load(*kernels_, *network_, oracle_);
    const auto trace = make_trace(tangents);
    network_->forward(*trace, x_on_device_, y);
    network_->jvp(*trace, x_dot_on_device, y_dot);
    if (!piecewise_linear()) {
      EXPECT_THROW(network_->vjp_shared(*trace, y_bar_on_device, weights, {}, Gradient::overwrite), Error);
      continue;
    }
    const reference::VjpOfJvp expected = reference::vjp_of_jvp_many(
        oracle_, x_, oracle_.parameters, for_all(x_dot, samples, batch), weighted(y_bar, values, batch),
        for_all(weighted(y_bar, factors, samples), samples, batch));
    const reference::Vjp plain = reference::vjp(oracle_, x_, oracle_.parameters, y_bar);
    for (const Gradient mode : gradient_modes) {
      for (const bool x_bar_wanted : {true, false}) {
        SCOPED_TRACE(describe(tangents) + (has_values ? "" : ", no values") + ", mode " +
                     std::to_string(static_cast<int>(mode)) + (x_bar_wanted ? ", x_bar" : ""));
        prepare_gradients(mode);
        const Tensor x_bar = x_bar_wanted ? input_rows(batch) : Tensor();
        network_->vjp_shared(*trace, y_bar_on_device, weights, x_bar, mode);
        if (x_bar_wanted) {
          EXPECT_TRUE(agree(x_bar.download(), plain.x_bar.values));
        }
        expect_gradients(mode, expected.w_bar);
      }
    }
  }
}

TEST_P(LayerMapsTest, JvpAndVjpAreAdjoint) {
  const Rows v = random_inputs(batch), u = random_outputs(batch);
  const Tensor v_on_device = inputs(v), u_on_device = outputs(u);
  const Tensor y = output_rows(batch), jv = output_rows(batch), jtu = input_rows(batch);
  const auto trace = make_trace({1, batch});
  network_->forward(*trace, x_on_device_, y);
  network_->jvp(*trace, v_on_device, jv);
  network_->vjp(*trace, u_on_device, jtu, Gradient::ignore);
  const auto inner = [](const std::vector<double>& a, const std::vector<float>& b) {
    return reference::dot(a, std::vector<double>(b.begin(), b.end()));
  };
  EXPECT_TRUE(close(static_cast<float>(inner(u.values, jv.download())), inner(v.values, jtu.download()),
                    sum_tolerance_));
}

/// All maps of all layers at Precision::full, where TF32 is allowed.
std::vector<LayerCase> in_true_float32(std::vector<LayerCase> cases) {
  for (LayerCase& layer : cases) layer.precision = Precision::full;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Tf32, LayerMapsTest,
                         testing::Combine(testing::ValuesIn(in_true_float32(layer_cases())),
                                          testing::ValuesIn(devices_with_tf32())),
                         layer_test_name);
INSTANTIATE_TEST_SUITE_P(Tf32Images, LayerMapsTest,
                         testing::Combine(testing::ValuesIn(in_true_float32(image_layer_cases())),
                                          testing::ValuesIn(with_convolutions(devices_with_tf32()))),
                         layer_test_name);
INSTANTIATE_TEST_SUITE_P(All, LayerMapsTest,
                         testing::Combine(testing::ValuesIn(layer_cases()), testing::ValuesIn(devices())),
                         layer_test_name);
INSTANTIATE_TEST_SUITE_P(ImagesInBfloat16, LayerMapsTest,
                         testing::Combine(testing::ValuesIn(bfloat16_layer_cases()),
                                          testing::ValuesIn(devices_with_convolutions())),
                         layer_test_name);
INSTANTIATE_TEST_SUITE_P(Images, LayerMapsTest,
                         testing::Combine(testing::ValuesIn(image_layer_cases()),
                                          testing::ValuesIn(devices_with_convolutions())),
                         layer_test_name);

}  // namespace
}  // namespace ebm::test
