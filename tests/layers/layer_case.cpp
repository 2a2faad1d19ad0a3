// SPDX-License-Identifier: MIT
#include "layers/layer_case.h"

#include <set>

#include "layers/linear.h"
#include "models/toy.h"

namespace ebm::test {

namespace {

using reference::LayerSpec;
using reference::NetworkSpec;

NetworkSpec scaled_toy_energy(int64_t hidden) {
  NetworkSpec spec = reference::table6_energy(2, hidden);
  spec.push_back(LayerSpec::linear(1, 1).without_bias());
  return spec;
}

/// A coupling of `kept` features, with a net of one hidden layer, and one more.
LayerSpec coupling_of(int64_t kept, int64_t steps) {
  const int64_t moved = kept == 1 ? 1 : kept + 1;
  return LayerSpec::coupling(
      kept, steps,
      {LayerSpec::linear(kept, 7), LayerSpec::tanh(), LayerSpec::linear(7, moved * (3 * steps + 2))});
}

}  // namespace

std::vector<LayerCase> layer_cases() {
  const Features vector = flat(17), image{.height = 2, .width = 3, .channels = 5};
  const Features fours{.height = 2, .width = 2, .channels = 8};  // a GPU's thread takes 4 neighbours
  const double float_slope = 0.2f;
  std::vector<LayerCase> cases{
      {"Linear", {LayerSpec::linear(5, 19)}, flat(5)},
      {"LinearToOne", {LayerSpec::linear(17, 1)}, vector},
      {"LinearWithoutBias", {LayerSpec::linear(5, 3).without_bias()}, flat(5)},
      {"Prelu", {LayerSpec::prelu()}, vector},
      {"PreluOfImages", {LayerSpec::prelu()}, image},
      {"LeakyRelu", {LayerSpec::leaky_relu(float_slope)}, vector},
      {"Relu", {LayerSpec::relu()}, vector},
      {"Tanh", {LayerSpec::tanh()}, vector},
      {"Softplus", {LayerSpec::softplus()}, vector},
      {"Silu", {LayerSpec::silu()}, vector},
      {"PreluOfFours", {LayerSpec::prelu()}, fours},
      {"LeakyReluOfFours", {LayerSpec::leaky_relu(float_slope)}, fours},
      {"TanhOfFours", {LayerSpec::tanh()}, fours},
      {"SoftplusOfFours", {LayerSpec::softplus()}, fours},
      {"SiluOfFours", {LayerSpec::silu()}, fours},
      {"SoftplusLast", {LayerSpec::linear(5, 4), LayerSpec::prelu(), LayerSpec::softplus()}, flat(5)},
      {"SiluBetween", {LayerSpec::linear(5, 4), LayerSpec::silu(), LayerSpec::linear(4, 3)}, flat(5)},
      {"ToyEnergy", reference::table6_energy(2, 9), flat(2), Statistics::running,
       [] { return toy_energy(9, OutputScale::none); }},
      {"ToyEnergyScaled", scaled_toy_energy(9), flat(2), Statistics::running,
       [] { return toy_energy(9, OutputScale::learned); }},
      {"ToyEnergySilu",
       {LayerSpec::linear(2, 9), LayerSpec::silu(), LayerSpec::linear(9, 9), LayerSpec::silu(),
        LayerSpec::linear(9, 9), LayerSpec::silu(), LayerSpec::linear(9, 1)},
       flat(2),
       Statistics::running,
       [] {
         return toy_energy(9, OutputScale::none, WeightNorm::none, EnergyOutput::linear, {3, Curve::silu});
       }},
      {"ToyFlow",
       {coupling_of(1, 2), coupling_of(1, 2)},
       flat(2),
       Statistics::running,
       [] { return toy_flow(7, 2, 2); }},
      {"Coupling", {coupling_of(2, 3)}, flat(5)},
      {"CouplingOfTwoWithOneStep", {coupling_of(1, 1)}, flat(2)},
      // no backward signal in the values behind the last curved layer, whichever it is
      {"CurvedFirst", {LayerSpec::tanh(), LayerSpec::linear(5, 4), LayerSpec::relu()}, flat(5)},
      {"CurvedLast", {LayerSpec::linear(5, 4), LayerSpec::prelu(), LayerSpec::tanh()}, flat(5)},
  };
  for (const auto& [suffix, statistics] :
       {std::pair{"OnBatch", Statistics::batch}, std::pair{"OnRunning", Statistics::running}}) {
    const auto add = [&](const char* name, const NetworkSpec& spec, const Features& input,
                         std::function<std::unique_ptr<Layer>()> make = nullptr) {
      cases.push_back({std::string(name) + suffix, spec, input, statistics, std::move(make)});
    };
    add("BatchNorm", {LayerSpec::batch_norm(17)}, vector);
    add("BatchNormOfImages", {LayerSpec::batch_norm(5)}, image);
    add("BatchNormOfFours", {LayerSpec::batch_norm(8)}, fours);
    add("Several",
        {LayerSpec::linear(5, 7), LayerSpec::tanh(), LayerSpec::batch_norm(7), LayerSpec::leaky_relu(0.25),
         LayerSpec::linear(7, 3).without_bias(), LayerSpec::prelu()},
        flat(5));
    const LayerSpec normalised = LayerSpec::linear(5, 19).normalised();
    add("SpectralLinear", {normalised}, flat(5));
    add("SpectralLinearToOne", {LayerSpec::linear(17, 1).normalised()}, vector);
    add("SpectralLinearLeaky", {normalised, LayerSpec::leaky_relu(float_slope)}, flat(5), [] {
      constexpr Activation leaky{0.2f};
      return std::make_unique<Linear>(flat(5), flat(19), Bias::yes, leaky, WeightNorm::spectral);
    });
    add("SpectralToyEnergy",
        {LayerSpec::linear(2, 9).normalised(), LayerSpec::prelu(), LayerSpec::linear(9, 9).normalised(),
         LayerSpec::prelu(), LayerSpec::linear(9, 1).normalised()},
        flat(2), [] { return toy_energy(9, OutputScale::none, WeightNorm::spectral); });
    const LayerSpec linear = LayerSpec::linear(5, 7), to_three = LayerSpec::linear(7, 3);
    add("NoisyOutput", {LayerSpec::noisy_output(5, {linear, LayerSpec::prelu(), to_three})}, flat(8));
    add("NoisyOutputCurved",
        {LayerSpec::noisy_output(
            5, {linear, LayerSpec::batch_norm(7), LayerSpec::relu(), to_three, LayerSpec::tanh()})},
        flat(8));
    const NetworkSpec head{LayerSpec::linear(5, 4), LayerSpec::prelu(), LayerSpec::linear(4, 2)};
    add("JoinedInputs", {LayerSpec::joined_inputs(5, {linear, LayerSpec::relu(), to_three}, head)}, flat(7));
    add("JoinedInputsCurvedTrunk",
        {LayerSpec::joined_inputs(5, {linear, LayerSpec::batch_norm(7), to_three, LayerSpec::tanh()}, head)},
        flat(7));
    add("JoinedInputsCurvedHead",
        {LayerSpec::joined_inputs(5, {linear, LayerSpec::prelu(), to_three},
                                  {LayerSpec::linear(5, 4), LayerSpec::tanh()})},
        flat(7));
    add("ToyGenerator", reference::table6_generator(3, 7, 2), flat(3), [] { return toy_generator(3, 7); });
  }
  return cases;
}

std::vector<LayerCase> bfloat16_layer_cases() {
  const std::set<std::string> names{"Linear",
                                    "LinearToOne",
                                    "PreluOfFours",
                                    "LeakyRelu",
                                    "Tanh",
                                    "Softplus",
                                    "SiluOfFours",
                                    "CurvedLast",
                                    "BatchNormOnBatch",
                                    "BatchNormOfFoursOnRunning",
                                    "Convolution",
                                    "ConvolutionLeaky",
                                    "TransposedConvolution",
                                    "AveragePool",
                                    "AveragePoolOfFours",
                                    "Upsample",
                                    "SpatialSum",
                                    "LinearToImages",
                                    "BatchNormLeakyOnBatch",
                                    "BatchNormLeakyOfFoursOnBatch",
                                    "BatchNormReluOnRunning",
                                    "ResidualOnRunning",
                                    "SpectralLinearOnBatch",
                                    "SpectralLinearLeakyOnRunning",
                                    "SpectralConvolutionOnBatch",
                                    "NoisyOutputOnRunning",
                                    "NoisyOutputCurvedOnRunning",
                                    "NoisyOutputOfImagesOnRunning",
                                    "JoinedInputsOnRunning",
                                    "JoinedInputsOfImagesOnRunning"};
  std::vector<LayerCase> cases;
  for (const auto& list : {layer_cases(), image_layer_cases()}) {
    for (LayerCase layer : list) {
      if (!names.contains(layer.name)) continue;
      layer.name += "InBfloat16";
      layer.precision = Precision::bfloat16;
      cases.push_back(std::move(layer));
    }
  }
  if (cases.size() != names.size()) throw Error("a layer case of bfloat16 has a name that is none");
  return cases;
}

LayerMapsTest::LayerMapsTest()
    : case_(std::get<0>(GetParam())),
      kernels_(open_device(std::get<1>(GetParam()))),
      oracle_(random_network(case_.spec, oracle_statistics(case_.statistics), 5)),
      network_(std::make_unique<Network>(*kernels_,
                                         case_.make ? case_.make() : layers_of(case_.spec, case_.input))) {
  load(*kernels_, *network_, oracle_);
  x_ = random_inputs(batch);
  x_.values[3] = 0;  // on the kink, where the derivative is the slope's
  x_on_device_ = inputs(x_);
  const LayerSpec& first = case_.spec.front();
  if (case_.spec.size() > 1 || first.spectral || !first.left.empty()) {
    tolerance_ = {.factor = 4, .reason = "float32 roundings of several layers"};
    sum_tolerance_.factor = 10;
  }
  if (case_.precision == Precision::bfloat16) {
    constexpr double coarser = 1 << 16;
    tolerance_ = {.factor = coarser / 4, .reason = "bfloat16 has 16 bits less than float32"};
    sum_tolerance_ = {.factor = coarser / 2, .reason = "hundreds of terms of 8 bits that cancel", .terms = 8};
  }
}

std::unique_ptr<Trace> LayerMapsTest::make_trace(const Tangents& tangents) {
  auto trace = network_->make_trace({.batch = batch,
                                     .statistics = case_.statistics,
                                     .tangents = max_tangents,
                                     .tangent_samples = tangents.samples,
                                     .precision = case_.precision});
  network_->round_parameters();
  return trace;
}

std::vector<Tangents> LayerMapsTest::tangent_choices() const {
  std::vector<Tangents> choices{{1, batch}, {max_tangents, batch}};
  if (case_.statistics == Statistics::running) {
    choices.push_back({1, part});
    choices.push_back({max_tangents, part});
  }
  return choices;
}

void LayerMapsTest::prepare_gradients(Gradient mode) {
  const Parameters& parameters = network_->parameters();
  gradients_before_ = reference::rounded_to_float(random_.normals(std::ssize(oracle_.parameters)));
  if (mode == Gradient::overwrite) gradients_before_.assign(gradients_before_.size(), float_nan);
  scatter(*kernels_, parameters.trainable(), parameters.gradients(), gradients_before_);
}

void LayerMapsTest::expect_gradients(Gradient mode, const std::vector<double>& w_bar) {
  const Parameters& parameters = network_->parameters();
  const std::vector<float> all = gradients(*kernels_, *network_);
  ASSERT_EQ(all.size(), w_bar.size());
  size_t first = 0;
  for (const Parameter& p : parameters.trainable()) {
    SCOPED_TRACE(p.name);
    const auto size = static_cast<size_t>(p.size);
    const std::vector<float> actual(all.begin() + first, all.begin() + first + size);
    std::vector<double> expected(gradients_before_.begin() + first, gradients_before_.begin() + first + size);
    if (mode == Gradient::ignore) {
      EXPECT_EQ(actual, reference::to_float(expected)) << "gradients were touched";
    } else {
      for (size_t i = 0; i < size; ++i)
        expected[i] = w_bar[first + i] + (mode == Gradient::accumulate ? expected[i] : 0);
      EXPECT_TRUE(close(actual, expected, sum_tolerance_));
    }
    first += size;
  }
}

}  // namespace ebm::test
