// SPDX-License-Identifier: MIT
// What an evaluation of the toy experiment measures, against the oracle's networks in float64; and its
// points.
#include "evaluate/toy_evaluation.h"

#include <map>

#include "metrics/toy_density.h"
#include "reference/bounds.h"
#include "support/networks.h"
#include "support/rounded_products.h"
#include "train/trainer_fixture.h"

namespace ebm::test {
namespace {

constexpr int64_t grid = 20, points = 60;
constexpr ToyEvaluationOptions options{.grid = grid, .points = points};

/// The numbers of an evaluation, by name.
std::map<std::string, double> numbers(ToyEvaluation& evaluation) {
  const std::vector<std::string> names = evaluation.names();
  const std::vector<double> values = evaluation.evaluate(0);
  std::map<std::string, double> by_name;
  for (size_t i = 0; i < names.size(); ++i) by_name[names[i]] = values.at(i);
  return by_name;
}

class ToyEvaluationTest : public IoTest {
 protected:
  /// The oracle's copy of a network.
  static reference::Network oracle_of(Kernels& kernels, const Network& network,
                                      const reference::NetworkSpec& spec) {
    const Parameters& p = network.parameters();
    const std::vector<float> w = gather(kernels, p.trainable(), p.values()),
                             running = gather(kernels, p.statistics(), p.statistics_values());
    return {.layers = spec,
            .parameters = {w.begin(), w.end()},
            .running = {running.begin(), running.end()},
            .statistics = reference::Statistics::running};
  }
  /// Noise of the evaluation's stream number `purpose`.
  static reference::Matrix<double> draws(Kernels& kernels, uint32_t purpose, int64_t rows) {
    const Buffer<uint64_t> first(kernels, 1);
    const Tensor x(kernels, rows, flat(2));
    kernels.noise(
        {Distribution::normal, 1, static_cast<uint32_t>(Stream::evaluation) + purpose, first.data()}, x);
    const std::vector<float> values = x.download();
    return {rows, 2, std::vector<double>(values.begin(), values.end())};
  }
};

TEST_F(ToyEvaluationTest, MeasuresWhatTheOracleDoes) {
  for (const std::string& device : devices()) {
    SmallEbmBb small(device);
    for (int i = 0; i < 5; ++i) small.ebm_bb.iterate();
    const RunFolder folder(*this / device);
    ToyEvaluation evaluation(small.ebm_bb, ToyDataset::gaussians25, options, folder, "");
    const auto found = numbers(evaluation);

    Kernels& kernels = *small.kernels;
    const auto e = oracle_of(kernels, small.energy, reference::table6_energy(2, 9));
    const auto g = oracle_of(kernels, small.generator, reference::table6_generator(2, 9, 2));
    const auto energies = [&](const std::vector<float>& at) {
      const std::vector<double> values(at.begin(), at.end());
      return e(reference::Matrix<double>(std::ssize(at) / 2, 2, values)).values;
    };
    double z = 0, mean = 0;
    for (const double energy : energies(plane_grid(grid))) z += std::exp(-energy) * 0.4 * 0.4;
    const Buffer<uint64_t> first(kernels, 1);
    const Tensor held_out(kernels, points, flat(2));
    ToyData(kernels, ToyDataset::gaussians25, points, 1, static_cast<uint32_t>(Stream::evaluation))
        .draw(first.data(), held_out);
    for (const double energy : energies(held_out.download())) mean += energy / static_cast<double>(points);
    const Tolerance tolerance{.factor = 4, .reason = "several layers"};
    EXPECT_TRUE(close(static_cast<float>(found.at("log_z")), std::log(z), tolerance)) << device;
    EXPECT_TRUE(close(static_cast<float>(found.at("log_likelihood")), -mean - std::log(z), tolerance));
    EXPECT_EQ(found.at("kl_data_model"),
              mean_log_density(ToyDataset::gaussians25, held_out.download()) - found.at("log_likelihood"));

    const std::vector<double> samples = g(draws(kernels, 2, points)).values;
    const ModeCoverage coverage = gaussians25_coverage(reference::to_float(samples));
    EXPECT_EQ(found.at("modes"), static_cast<double>(coverage.modes)) << device;
    EXPECT_EQ(found.at("high_quality"), coverage.high_quality) << device;

    // d log s1 <= L: never above, but for rounding, which the plane's exact bound has little of
    EXPECT_EQ(found.at("share_bound_above_entropy"), 0) << device;
  }
}

/// h of LOBPCG without iterations is d/2 log ||J v0||^2 / ||v0||^2, which lies above L for some probes.
TEST_F(ToyEvaluationTest, CountsTheBoundsAboveTheEntropy) {
  EbmBbOptions of_start = SmallEbmBb::small_options();
  of_start.lower->lobpcg_iterations = 0;
  SmallEbmBb small("cpu", of_start);
  small.ebm_bb.iterate();
  const RunFolder folder(*this / "run");
  ToyEvaluation evaluation(small.ebm_bb, ToyDataset::gaussians25, options, folder, "");
  const double found = numbers(evaluation).at("share_bound_above_entropy");

  const int64_t batch = of_start.training.batch;
  const auto g = oracle_of(*small.kernels, small.generator, reference::table6_generator(2, 9, 2));
  const auto z = draws(*small.kernels, 3, batch), v0 = draws(*small.kernels, 4, batch);
  double above = 0;
  for (int64_t b = 0; b < batch; ++b) {
    const double h = 2 * log_s1(g, z.row(b), g.parameters, v0.row(b));
    above += h > half_log_det(g, z.row(b), g.parameters) ? 1 : 0;
  }
  EXPECT_GT(above, 0);
  EXPECT_LT(above, batch);
  EXPECT_DOUBLE_EQ(found, above / static_cast<double>(batch));
}

TEST_F(ToyEvaluationTest, ThePointsAreTheSameEachTimeAndTheEvaluationChangesNothing) {
  SmallEbmBb small("cpu"), other("cpu");
  const RunFolder folder(*this / "run");
  ToyEvaluation evaluation(small.ebm_bb, ToyDataset::gaussians25, options, folder, "");
  const auto first = numbers(evaluation);
  EXPECT_EQ(numbers(evaluation), first);
  small.ebm_bb.iterate();
  other.ebm_bb.iterate();
  const auto later = numbers(evaluation);
  EXPECT_NE(later, first);
  small.ebm_bb.iterate();
  other.ebm_bb.iterate();
  for (const bool of_energy : {true, false}) {
    const auto values = [&](SmallEbmBb& ebm_bb) {
      const Network& network = of_energy ? ebm_bb.energy : ebm_bb.generator;
      return download(*ebm_bb.kernels, network.parameters().values());
    };
    EXPECT_EQ(values(small), values(other));
  }
  ToyEvaluation anew(other.ebm_bb, ToyDataset::gaussians25, options, folder, "");
  EXPECT_EQ(numbers(anew), numbers(evaluation)) << "whenever it was made";
}

TEST_F(ToyEvaluationTest, OtherDataHaveNoModes) {
  SmallEbmBb small("cpu");
  const RunFolder folder(*this / "run");
  for (const ToyDataset dataset : {ToyDataset::swiss_roll, ToyDataset::two_moons}) {
    ToyEvaluation evaluation(small.ebm_bb, dataset, options, folder, "");
    for (const auto& [name, value] : numbers(evaluation)) {
      const bool of_modes = name == "modes" || name == "high_quality";
      EXPECT_EQ(std::isnan(value), of_modes) << name;
    }
  }
}

/// Whatever training is allowed: what is reported was computed in true float32.
TEST_F(ToyEvaluationTest, IsTrueFloat32) {
  for (const Precision precision : {Precision::full, Precision::training, Precision::bfloat16}) {
    const auto kernels = make_rounded_products(open_device("cpu"));
    EbmBbOptions small = SmallEbmBb::small_options();
    small.training.precision = precision;
    ToyData data(*kernels, ToyDataset::gaussians25, small.training.batch, 1, 1);
    EbmBb ebm_bb(*kernels, makers_of(SmallEbmBb::networks()), data, small);
    ebm_bb.initialize();
    const RunFolder folder(*this / "run");
    ToyEvaluation evaluation(ebm_bb, ToyDataset::gaussians25, options, folder, "");
    kernels->restart({});
    evaluation.evaluate(0);
    EXPECT_GT(kernels->full_products(), 0);
    EXPECT_EQ(kernels->other_products(), 0);
  }
}

}  // namespace
}  // namespace ebm::test
