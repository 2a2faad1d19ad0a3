// SPDX-License-Identifier: MIT
// Layers of two inputs: their names, and what they cannot be made of.
#include "layers/noisy_output.h"

#include <gtest/gtest.h>

#include "layers/joined_inputs.h"
#include "layers/linear.h"
#include "layers/network.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

std::string names(const Parameters& parameters) {
  std::string text;
  for (const Parameter& p : parameters.trainable()) {
    text += p.name;
    for (const int64_t extent : p.shape) text += " " + std::to_string(extent);
    text += "\n";
  }
  return text;
}

std::unique_ptr<Layer> joined(int64_t x, int64_t t, int64_t head_inputs) {
  return std::make_unique<JoinedInputs>(Sequential::Child{"trunk", std::make_unique<Linear>(x, t)},
                                        Sequential::Child{"head", std::make_unique<Linear>(head_inputs, 1)});
}

TEST(NoisyOutputTest, LogsigmaIsANumberThatKeepsItsStart) {
  const auto kernels = open_device("cpu");
  for (const Initial initial : {Initial::pytorch, Initial::normal, Initial::orthogonal}) {
    Network network(*kernels, std::make_unique<NoisyOutput>(
                                  Sequential::Child{"g", std::make_unique<Linear>(2, 3)}, -4.5f));
    EXPECT_EQ(to_string(network.input()), "1x1x5");
    EXPECT_EQ(names(network.parameters()), "logsigma\ng.weight 3 2\ng.bias 3\n");
    network.initialize(1, 256, initial);
    const Parameter& logsigma = network.parameters().trainable().front();
    EXPECT_EQ(logsigma.size, 1);
    EXPECT_EQ(download(*kernels, View{logsigma.value, 1, flat(1)}), std::vector<float>{-4.5f});
  }
}

TEST(JoinedInputsTest, NamesAndShapes) {
  const auto layer = joined(4, 3, 5);
  EXPECT_EQ(to_string(layer->input()), "1x1x6");
  EXPECT_EQ(to_string(layer->output()), "1x1x1");
  Parameters parameters;
  layer->declare(parameters, "T.");
  EXPECT_EQ(names(parameters), "T.trunk.weight 3 4\nT.trunk.bias 3\nT.head.weight 1 5\nT.head.bias 1\n");
  for (const int64_t head_inputs : {2, 3}) {
    try {
      joined(4, 3, head_inputs);
      ADD_FAILURE() << "no Error";
    } catch (const Error& error) {
      for (const char* part : {"'trunk'", "'head'", "1x1x3"})
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

/// What is narrow in the trunk lets z pass beside it.
TEST(JoinedInputsTest, NarrowestPlace) {
  const auto narrowest = [](int64_t x, int64_t t, int64_t z, int64_t outputs) {
    const Narrowest found = JoinedInputs({"trunk", std::make_unique<Linear>(x, t)},
                                         {"head", std::make_unique<Linear>(t + z, outputs)})
                                .narrowest("T");
    return std::pair{found.size, found.where};
  };
  using Found = std::pair<int64_t, std::string>;
  EXPECT_EQ(narrowest(4, 2, 3, 9), (Found{5, "T.trunk"}));
  EXPECT_EQ(narrowest(4, 2, 3, 4), (Found{4, "T.head"}));
}

}  // namespace
}  // namespace ebm::test
