// SPDX-License-Identifier: MIT
// What an iteration promises besides its numbers: the same bits again, recorded or not, no allocation, noise
// of its own for each purpose, and a word when something is not finite.
#include <gtest/gtest.h>

#include <tuple>

#include "data/toy.h"
#include "methods/ebm_bb_options.h"
#include "models/toy.h"
#include "support/allocations.h"
#include "train/seen.h"
#include "train/wide_ebm_bb.h"

namespace ebm::test {
namespace {

struct Setting {
  std::string name;
  EbmBbOptions options;
};
std::ostream& operator<<(std::ostream& out, const Setting& setting) {
  return out << setting.name;
}

std::vector<Setting> settings() {
  const auto options = [](Variant method, Preset preset) {
    EbmBbOptions result = ebm_bb_options(NetworkKind::toy, method, preset);
    result.training.batch = 11;
    return result;
  };
  Setting lobpcg{"Lobpcg", options(Variant::ebm_bb, Preset::paper)};
  lobpcg.options.lower->preconditioning = Preconditioning::running_gram;
  Setting authors{"Authors", options(Variant::ebm_bb, Preset::paper)};
  authors.options.lower->direction = Direction::authors;
  authors.options.entropy_points = EntropyPoints::energy;
  Setting slq{"Slq", options(Variant::ebm_bb, Preset::paper)};
  slq.options.lower->kind = EntropyBoundKind::slq;
  slq.options.lower->preconditioning = Preconditioning::running_gram;
  Setting logdet{"LogDet", options(Variant::ebm_bb, Preset::paper)};
  logdet.options.lower->kind = EntropyBoundKind::logdet;
  return {{"EbmBb", options(Variant::ebm_bb, Preset::paper)},
          {"EbmBbAsInCode", options(Variant::ebm_bb, Preset::code)},
          {"Ebm0gp", options(Variant::ebm_0gp, Preset::paper)},
          {"Wgan0gp", options(Variant::wgan_0gp, Preset::paper)},
          lobpcg,
          authors,
          slq,
          logdet};
}

class IterationTest : public testing::TestWithParam<std::tuple<Setting, std::string>> {
 protected:
  const Setting& setting() const { return std::get<0>(GetParam()); }
  const std::string& device() const { return std::get<1>(GetParam()); }
  WideEbmBb fresh() const { return WideEbmBb(device(), setting().options); }

  /// All that lasts: parameters, moments, statistics, gradients, the scalars of the log, a bound's state.
  static std::vector<std::vector<float>> everything(WideEbmBb& small) {
    std::vector<std::vector<float>> all;
    for (const Learner* learner : small.ebm_bb.learners()) {
      const Parameters& p = learner->network().parameters();
      for (const View buffer : {p.values(), p.gradients(), learner->first_moments(),
                                learner->second_moments(), p.statistics_values()}) {
        all.push_back(download(*small.kernels, buffer));
      }
    }
    const Numbers::Values numbers = small.ebm_bb.numbers().download();
    EXPECT_FALSE(numbers.not_finite);
    all.push_back(numbers.numbers);
    for (const ExtraState& extra : small.ebm_bb.extra_state()) {
      const std::vector<double> state = extra.values->download();
      all.emplace_back(state.begin(), state.end());
    }
    return all;
  }
};

TEST_P(IterationTest, TheSameSeedGivesTheSameBits) {
  WideEbmBb first = fresh(), second = fresh();
  const int64_t allocations = first.kernels->allocations();
  for (int iteration = 0; iteration < 3; ++iteration) {
    first.ebm_bb.iterate();
    second.ebm_bb.iterate();
  }
  EXPECT_EQ(first.kernels->allocations(), allocations) << "an iteration allocates nothing";
  const auto all = everything(first);
  EXPECT_EQ(everything(second), all);
  for (const std::vector<float>& array : all)
    for (const float x : array) ASSERT_TRUE(std::isfinite(x));

  EbmBbOptions options = setting().options;
  options.training.seed = 2;
  WideEbmBb other(device(), options);
  for (int iteration = 0; iteration < 3; ++iteration) other.ebm_bb.iterate();
  EXPECT_NE(everything(other), all);
}

TEST_P(IterationTest, RecordedItGivesTheSameBits) {
  WideEbmBb plain = fresh(), recorded = fresh();
  const std::unique_ptr<Graph> graph = recorded.kernels->capture([&] { recorded.ebm_bb.iterate(); });
  for (int iteration = 0; iteration < 3; ++iteration) {
    plain.ebm_bb.iterate();
    graph->launch();
  }
  EXPECT_EQ(everything(recorded), everything(plain));
  EXPECT_EQ(recorded.ebm_bb.iteration().download().at(0), 3u);
}

TEST_P(IterationTest, EachPurposeDrawsFromItsStream) {
  WideEbmBb small = fresh();
  for (uint64_t iteration = 0; iteration < 2; ++iteration) {
    small.ebm_bb.iterate();
    const Buffer<uint64_t> at(*small.kernels, std::span<const uint64_t>(&iteration, 1));
    std::vector<std::vector<float>> seen;
    for (const auto& [name, stream] :
         {std::pair{"z", Stream::z}, std::pair{"v0", Stream::v0}, std::pair{"p0", Stream::p0},
          std::pair{"alpha", Stream::alpha}, std::pair{"e", Stream::range_probe},
          std::pair{"z_generator", Stream::z_generator}, std::pair{"v0_generator", Stream::v0_generator},
          std::pair{"p0_generator", Stream::p0_generator},
          std::pair{"e_generator", Stream::range_probe_generator}}) {
      const ConstView drawn = small.ebm_bb.draws().find(name);
      if (drawn.empty()) continue;
      const Tensor expected = unwritten(*small.kernels, drawn.rows, drawn.features);
      const auto distribution = stream == Stream::alpha ? Distribution::uniform : Distribution::normal;
      small.kernels->noise({distribution, static_cast<uint64_t>(setting().options.training.seed),
                            static_cast<uint32_t>(stream), at.data()},
                           expected);
      const std::vector<float> values = download(*small.kernels, drawn);
      EXPECT_EQ(values, expected.download()) << name;
      for (const auto& other : seen) EXPECT_NE(other, values);
      seen.push_back(values);
    }
    EXPECT_GE(seen.size(), 2u);
  }
}

/// Other numbers would make other runs of the same seeds (docs/method.md, "Noise").
TEST(StreamNumbers, AreTheDocumentedOnes) {
  const auto number = [](Stream stream) { return static_cast<uint32_t>(stream); };
  EXPECT_EQ(number(Stream::data), 1u);  // and 2
  EXPECT_EQ(number(Stream::z), 3u);
  EXPECT_EQ(number(Stream::v0), 4u);
  EXPECT_EQ(number(Stream::p0), 5u);
  EXPECT_EQ(number(Stream::alpha), 6u);
  EXPECT_EQ(number(Stream::range_probe), 7u);
  EXPECT_EQ(number(Stream::z_generator), 8u);
  EXPECT_EQ(number(Stream::v0_generator), 9u);
  EXPECT_EQ(number(Stream::p0_generator), 10u);
  EXPECT_EQ(number(Stream::range_probe_generator), 11u);
  EXPECT_EQ(number(Stream::pairing), 12u);
  EXPECT_EQ(number(Stream::noise), 13u);
  EXPECT_EQ(number(Stream::importance), 14u);
  EXPECT_EQ(number(Stream::posterior), 15u);
  EXPECT_EQ(number(Stream::evaluation), 16u);
  EXPECT_EQ(number(Stream::initial_energy), 256u);
  EXPECT_EQ(number(Stream::initial_generator), 4096u);
  EXPECT_EQ(number(Stream::initial_third), 8192u);
}

/// Adam runs over the flat buffers, what lies between the parameters included.
TEST_P(IterationTest, ThePaddingBetweenParametersStaysZero) {
  WideEbmBb small = fresh();
  for (int iteration = 0; iteration < 3; ++iteration) small.ebm_bb.iterate();
  for (const Learner* learner : small.ebm_bb.learners()) {
    const Parameters& p = learner->network().parameters();
    int64_t padding = 0;
    for (const View buffer :
         {p.values(), p.gradients(), learner->first_moments(), learner->second_moments()}) {
      std::vector<float> left = download(*small.kernels, buffer);
      for (const Parameter& parameter : p.trainable())
        std::fill_n(left.begin() + parameter.offset, parameter.size, float_nan);
      for (const float x : left) {
        EXPECT_TRUE(std::isnan(x) || x == 0);
        padding += std::isnan(x) ? 0 : 1;
      }
    }
    EXPECT_GT(padding, 0) << "the networks have parameters of odd sizes";
  }
}

TEST_P(IterationTest, AParameterThatIsNotFiniteIsReported) {
  for (const bool in_energy : {true, false}) {
    WideEbmBb small = fresh();
    const Network& network = in_energy ? small.energy : small.generator;
    const Parameter& p = network.parameters().trainable().front();
    small.kernels->upload(p.value, &float_nan, sizeof float_nan);
    small.ebm_bb.iterate();
    EXPECT_TRUE(small.ebm_bb.numbers().download().not_finite) << (in_energy ? "energy" : "generator");
  }
}

TEST_P(IterationTest, SamplesWhoseJacobianLostRankAreNotGood) {
  WideEbmBb small = fresh();
  if (small.ebm_bb.lower() == nullptr) GTEST_SKIP() << "no entropy term";
  const Parameter& weight = *(small.generator.parameters().trainable().rbegin() + 1);  // of the last layer
  small.kernels->zero(weight.value, weight.size * static_cast<int64_t>(sizeof(float)));
  small.ebm_bb.iterate();
  EXPECT_EQ(number(small.ebm_bb, "share_good"), 0);
  EXPECT_EQ(number(small.ebm_bb, "share_floored"), 1);
  EXPECT_TRUE(std::isfinite(number(small.ebm_bb, "entropy")));
  EXPECT_TRUE(std::isfinite(number(small.ebm_bb, "loss_generator")));
  EXPECT_FALSE(small.ebm_bb.numbers().download().not_finite);
}

class CpuIterationTest : public IterationTest {};

TEST_P(CpuIterationTest, NothingIsNew) {
  WideEbmBb small = fresh();
  small.ebm_bb.iterate();  // makes workspaces of products and sums
  const auto before = operator_new_calls();
  small.ebm_bb.iterate();
  small.ebm_bb.iterate();
  EXPECT_EQ(operator_new_calls(), before);
}

std::string iteration_test_name(const testing::TestParamInfo<std::tuple<Setting, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, IterationTest,
                         testing::Combine(testing::ValuesIn(settings()), testing::ValuesIn(devices())),
                         iteration_test_name);
INSTANTIATE_TEST_SUITE_P(All, CpuIterationTest,
                         testing::Combine(testing::ValuesIn(settings()), testing::Values("cpu")),
                         iteration_test_name);

TEST(EbmBbErrors, NetworksThatDoNotFitAreNamed) {
  const auto kernels = open_device("cpu");
  const LayerMaker energy = [] { return toy_energy(5, OutputScale::none); },
                   generator = [] { return toy_generator(2, 5); },
                   other = [] { return layers_of({reference::LayerSpec::linear(2, 3)}, flat(2)); };
  ToyData data(*kernels, ToyDataset::gaussians25, 200, 1, 1);
  const auto message = [&](const LayerMaker& e, const LayerMaker& g) -> std::string {
    try {
      EbmBb(*kernels, {.energy = e, .generator = g}, data,
            ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper));
    } catch (const Error& error) {
      return error.what();
    }
    return "no Error";
  };
  EXPECT_EQ(message(energy, generator), "no Error");
  for (const auto& text : {message(energy, other), message(other, generator)}) {
    EXPECT_NE(text.find("1x1x3"), std::string::npos) << text;
    EXPECT_NE(text.find("1x1x2"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ebm::test
