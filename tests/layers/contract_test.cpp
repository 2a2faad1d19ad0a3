// SPDX-License-Identifier: MIT
// What every layer promises besides its numbers: errors that name the shapes, traces that do not disturb each
// other, no allocation once a trace is made.
#include "layers/layer_case.h"

namespace ebm::test {
namespace {

class LayerContractTest : public LayerMapsTest {
 protected:
  /// The message of the Error that `call` throws, which must be one line and name all `parts`.
  template <class Call>
  static void expect_error(const std::vector<std::string>& parts, Call&& call) {
    try {
      call();
      ADD_FAILURE() << "no Error";
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      for (const std::string& part : parts)
        EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
    }
  }
  std::string layer_shapes() const {
    return to_string(network_->input()) + " -> " + to_string(network_->output());
  }
};

TEST_P(LayerContractTest, WrongShapesAreNamed) {
  const auto trace = make_trace({1, batch});
  const Tensor x = input_rows(batch), y = output_rows(batch);
  const Tensor long_x = input_rows(batch + 1), long_y = output_rows(batch + 1);
  const Tensor wide_x = unwritten(*kernels_, batch, flat(case_.input.size() + 1)),
               wide_y = unwritten(*kernels_, batch, flat(network_->output().size() + 1));
  network_->forward(*trace, x_on_device_, y);
  const auto expect = [&](ConstView in, ConstView out, auto&& call) {
    expect_error({layer_shapes(), to_string(in), to_string(out)}, call);
  };
  for (const Tensor* bad : {&long_x, &wide_x}) {
    expect(*bad, y, [&] { network_->forward(*trace, *bad, y); });
    expect(*bad, y, [&] { network_->vjp(*trace, y, *bad, Gradient::ignore); });
  }
  for (const Tensor* bad : {&long_y, &wide_y}) {
    expect(x, *bad, [&] { network_->forward(*trace, x, *bad); });
    expect(x, *bad, [&] { network_->jvp(*trace, x, *bad); });
    expect(x, *bad, [&] { network_->vjp(*trace, *bad, x, Gradient::ignore); });
  }
  expect(wide_x, y, [&] { network_->jvp(*trace, wide_x, y); });
  expect(long_x, y, [&] { network_->forward_jvp(*trace, {long_x, x}, {y, y}); });
  expect(wide_x, y, [&] { network_->forward_jvp(*trace, {x, wide_x}, {y, y}); });

  network_->jvp(*trace, x_on_device_, y);
  expect(x, wide_y, [&] { network_->vjp_of_jvp(*trace, {wide_y, y}, {x, x}, Gradient::ignore); });
  expect(x, wide_y, [&] { network_->vjp_of_jvp(*trace, {y, wide_y}, {x, x}, Gradient::ignore); });
  expect(wide_x, y, [&] { network_->vjp_of_jvp(*trace, {y, y}, {x, wide_x}, Gradient::ignore); });
  expect(x, wide_y, [&] { network_->vjp_shared(*trace, wide_y, {x.data(), x.data()}, x, Gradient::ignore); });
}

TEST_P(LayerContractTest, TangentsBeyondTheTraceAreNamed) {
  const auto trace = make_trace({1, batch});
  const Tensor y = output_rows(batch);
  network_->forward(*trace, x_on_device_, y);
  const int64_t too_many = (max_tangents + 1) * batch;
  for (const int64_t rows : {batch - 1, batch + 1, too_many}) {
    const Tensor x_dot = input_rows(rows), y_dot = output_rows(rows);
    const std::vector<std::string> parts{
        std::to_string(rows) + " tangent rows",
        "at most " + std::to_string(max_tangents) + " tangents of " + std::to_string(batch) + " samples"};
    expect_error(parts, [&] { network_->jvp(*trace, x_dot, y_dot); });
    expect_error(parts, [&] { network_->forward_jvp(*trace, {x_on_device_, x_dot}, {y, y_dot}); });
  }
  const auto none = network_->make_trace({.batch = batch, .statistics = case_.statistics});
  network_->forward(*none, x_on_device_, y);
  expect_error({"at most 0 tangents"}, [&] { network_->jvp(*none, x_on_device_, y); });
}

TEST_P(LayerContractTest, AnotherTraceLeavesTheFirstAlone) {
  const Tensor x_dot = inputs(random_inputs(batch)), y_bar = outputs(random_outputs(batch)),
               y_dot_bar = outputs(random_outputs(batch));
  const Tensor y = output_rows(batch), y_dot = output_rows(batch), x_bar = input_rows(batch),
               x_dot_bar = input_rows(batch);
  const auto backward = [&](Trace& trace) {
    network_->vjp_of_jvp(trace, {y_bar, y_dot_bar}, {x_bar, x_dot_bar}, Gradient::overwrite);
    std::vector<std::vector<float>> all{x_bar.download(), x_dot_bar.download(),
                                        gradients(*kernels_, *network_)};
    network_->vjp(trace, y_bar, x_bar, Gradient::accumulate);
    all.push_back(x_bar.download());
    all.push_back(gradients(*kernels_, *network_));
    return all;
  };
  const auto trace = make_trace({1, batch});
  network_->forward(*trace, x_on_device_, y);
  network_->jvp(*trace, x_dot, y_dot);
  const auto expected = backward(*trace);
  EXPECT_EQ(backward(*trace), expected) << "the same call again";

  // the generator is held linearised at two points at a time, with either statistics
  const Tensor other_x = inputs(random_inputs(batch)), other_y = output_rows(batch),
               scratch = input_rows(batch);
  for (const Statistics statistics : {Statistics::running, Statistics::batch}) {
    const auto other = network_->make_trace({.batch = batch, .statistics = statistics, .tangents = 1});
    network_->forward(*other, other_x, other_y);
    network_->jvp(*other, other_x, other_y);
    network_->vjp_of_jvp(*other, {other_y, other_y}, {scratch, scratch}, Gradient::ignore);
    EXPECT_EQ(backward(*trace), expected);
  }
}

TEST_P(LayerContractTest, MapsAllocateNothing) {
  const auto trace = make_trace({1, batch});
  const Tensor x_dot = inputs(random_inputs(batch)), ones = outputs(random_outputs(batch));
  const Tensor y = output_rows(batch), y_dot = output_rows(batch), x_bar = input_rows(batch),
               x_dot_bar = input_rows(batch);
  const Buffer<float> weights(*kernels_, batch);
  const int64_t allocations = kernels_->allocations();
  network_->forward(*trace, x_on_device_, y);
  network_->jvp(*trace, x_dot, y_dot);
  network_->forward_jvp(*trace, {x_on_device_, x_dot}, {y, y_dot});
  network_->vjp(*trace, ones, x_bar, Gradient::overwrite);
  network_->vjp_of_jvp(*trace, {ones, ones}, {x_bar, x_dot_bar}, Gradient::overwrite);
  if (piecewise_linear()) {
    network_->vjp_shared(*trace, ones, {weights.data(), weights.data()}, x_bar, Gradient::overwrite);
  }
  EXPECT_EQ(kernels_->allocations(), allocations);
}

INSTANTIATE_TEST_SUITE_P(All, LayerContractTest,
                         testing::Combine(testing::ValuesIn(layer_cases()), testing::ValuesIn(devices())),
                         layer_test_name);
INSTANTIATE_TEST_SUITE_P(Images, LayerContractTest,
                         testing::Combine(testing::ValuesIn(image_layer_cases()),
                                          testing::ValuesIn(devices_with_convolutions())),
                         layer_test_name);

}  // namespace
}  // namespace ebm::test
