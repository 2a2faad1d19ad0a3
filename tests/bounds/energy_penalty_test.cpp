// SPDX-License-Identifier: MIT
// Every upper bound against the oracle: the loss, its parts, and its gradient in the energy's parameters.
#include "bounds/energy_penalty.h"

#include <map>
#include <numbers>
#include <tuple>

#include "bounds/bounds_fixture.h"
#include "support/oracle_options.h"

namespace ebm::test {
namespace {

using reference::EbmBbConfig;

constexpr int64_t batch = 5, d = 3, D = 4;

/// What the energy has besides linear layers: PReLUs; a tanh too; a batch norm too, with batch statistics.
enum class Energy { piecewise_linear, curved, coupled };

struct PenaltyCase {
  std::string name;
  EnergyPenaltyOptions options;
  Output generator = Output::tanh;  ///< bidirectional
  Energy energy = Energy::piecewise_linear;
  EntropyBoundKind lower = EntropyBoundKind::s1;  ///< others where a = z: without a tanh
};
std::ostream& operator<<(std::ostream& out, const PenaltyCase& penalty) {
  return out << penalty.name;
}

std::vector<PenaltyCase> penalty_cases() {
  using enum EnergyPenaltyKind;
  constexpr float idle = 1e6f;
  std::vector<PenaltyCase> cases{
      {"NotNormalised",
       {.kind = bidirectional, .weight = 0.7f, .normaliser = PenaltyNormaliser::none, .hinge = 0}},
      {"ByDimension",
       {.kind = bidirectional, .weight = 3, .normaliser = PenaltyNormaliser::d, .hinge = 0.1f}},
      {"ByNorm", {.kind = bidirectional, .weight = 2, .normaliser = PenaltyNormaliser::v, .hinge = 0.2f}},
      {"BySquaredNorm",
       {.kind = bidirectional, .weight = 2, .normaliser = PenaltyNormaliser::v2, .hinge = 0.1f}},
      {"BehindTheHinge", {.kind = bidirectional, .weight = 2, .hinge = idle}},
      {"LinearGenerator", {.kind = bidirectional, .weight = 2, .hinge = 0.1f}, Output::linear},
      {"LinearGeneratorSlq",
       {.kind = bidirectional, .weight = 2, .hinge = 0.1f},
       Output::linear,
       Energy::piecewise_linear,
       EntropyBoundKind::slq},
      {"LinearGeneratorLobpcg",
       {.kind = bidirectional, .weight = 2, .hinge = 0.1f},
       Output::linear,
       Energy::piecewise_linear,
       EntropyBoundKind::lobpcg},
      {"LinearGeneratorLogDet",
       {.kind = bidirectional, .weight = 2, .hinge = 0.1f},
       Output::linear,
       Energy::piecewise_linear,
       EntropyBoundKind::logdet},
      {"Separate", {.kind = bidirectional, .weight = 2, .hinge = 0.1f, .backward = PairBackward::separate}},
      {"CurvedEnergy", {.kind = bidirectional, .weight = 2, .hinge = 0.1f}, Output::tanh, Energy::curved},
      {"CoupledEnergy", {.kind = bidirectional, .weight = 2, .hinge = 0.1f}, Output::tanh, Energy::coupled},
  };
  for (const auto& [name, kind] :
       {std::pair{"Real", gp_real}, std::pair{"Fake", gp_fake}, std::pair{"Interpolated", gp_interpolated}}) {
    const std::string gp = std::string("Gradient") + name;
    const EnergyPenaltyOptions options{
        .kind = kind, .weight = 4, .normaliser = PenaltyNormaliser::none, .hinge = 0.1f};
    cases.push_back({gp, options});
    cases.push_back({gp + "Curved", options, Output::tanh, Energy::curved});
    cases.push_back({gp + "Coupled", options, Output::tanh, Energy::coupled});
    cases.back().options.hinge = 0.001f;  // with batch norm the slopes are small
    cases.push_back({gp + "Separate", options});
    cases.back().options.backward = PairBackward::separate;
    cases.push_back({gp + "BehindTheHinge", options});
    cases.back().options.hinge = idle;
  }
  return cases;
}

reference::Network energy_oracle(Energy energy) {
  reference::NetworkSpec spec = reference::table6_energy(D, 9);
  if (energy == Energy::curved) spec[1] = reference::LayerSpec::tanh();
  if (energy == Energy::coupled) spec.insert(spec.begin() + 1, reference::LayerSpec::batch_norm(9));
  return random_network(spec, reference::Statistics::batch, 8);
}

class EnergyPenaltyTest : public testing::TestWithParam<std::tuple<PenaltyCase, std::string>> {
 protected:
  EnergyPenaltyTest()
      : case_(std::get<0>(GetParam())),
        kernels_(open_device(std::get<1>(GetParam()))),
        energy_oracle_(energy_oracle(case_.energy)),
        generator_oracle_(generator_oracle(d, 7, D, case_.generator)),
        energy_(network_of(*kernels_, energy_oracle_, D)),
        generator_(network_of(*kernels_, generator_oracle_, d)),
        scalars_(*kernels_, 4) {
    if (case_.options.kind != EnergyPenaltyKind::none) set_upper_bound(config_, case_.options);
    in_.x = random_rows(random_, batch, D);
    in_.z = random_rows(random_, batch, d);
    in_.v0 = random_rows(random_, batch, d);
    in_.between = reference::rounded_to_float(random_.uniforms(batch));
    step_.x_fake = random_rows(random_, batch, D);
    for (int64_t i = 0; i < batch; ++i) add_oracle_sample(i);
    if (bidirectional()) {
      lower_ =
          make_entropy_bound(*kernels_, *generator_, batch, {.kind = case_.lower, .lobpcg_iterations = 1});
      tolerance_.factor = std::max(8.0, 2 * worst_condition(generator_oracle_, in_.z));
    }
    if (case_.energy == Energy::coupled) {
      tolerance_ = {.factor = std::max(50.0, tolerance_.factor),
                    .reason = "a bias before a batch norm: terms that cancel, their sum is 0"};
    }
    upper_ = make_energy_penalty(*kernels_, *energy_, lower_.get(), batch, case_.options);
  }

  bool bidirectional() const { return case_.options.kind == EnergyPenaltyKind::bidirectional; }

  /// Sample i's part of what L_E takes as constants.
  void add_oracle_sample(int64_t i) {
    const auto extend = [](Rows& rows, const reference::Vector<double>& row) {
      rows.values.insert(rows.values.end(), row.begin(), row.end());
      rows.cols = std::ssize(row);
      ++rows.rows;
    };
    const auto z = in_.z.row(i), v0 = in_.v0.row(i);
    const auto& g = generator_oracle_;
    extend(step_.jv0, jacobian_times(g, z, g.parameters, v0));
    extend(step_.a, score_target(g, z, smallest_singular(jacobian(g, z, g.parameters)).v));
    extend(step_.x_between, reference::combine(in_.between[static_cast<size_t>(i)], in_.x.row(i),
                                               1 - in_.between[static_cast<size_t>(i)], step_.x_fake.row(i)));
  }

  /// Evaluates the bound with probes v0.
  void evaluate(const Rows& v0) {
    z_ = on_device(*kernels_, in_.z);
    v0_ = on_device(*kernels_, v0);
    alpha_ = on_device(*kernels_, Rows(batch, 1, in_.between));
    z_score_ = case_.generator == Output::tanh ? unwritten(*kernels_, batch, flat(d)) : Tensor();
    if (bidirectional()) {
      lower_->evaluate(z_, {.v0 = v0_, .p0 = {}, .e = {}});
      if (!z_score_.empty()) lower_->gradient(z_score_, Gradient::ignore);
      lower_->probe_product(upper_->directions());
    }
    upload(*kernels_, upper_->data(), in_.x);
    upload(*kernels_, upper_->samples(), step_.x_fake);
    scalars_.upload(std::vector<float>(4, float_nan));
    const Parameters& parameters = energy_->parameters();
    scatter(*kernels_, parameters.trainable(), parameters.gradients(),
            std::vector<double>(energy_oracle_.parameters.size(), std::nan("")));
    if (case_.options.samples == SampleWeighting::equal) queue();
  }
  void queue() {
    upper_->evaluate({.z = z_, .v0 = v0_, .z_score = z_score_, .alpha = alpha_},
                     {.energy_real = scalars_.data(),
                      .energy_fake = scalars_.data() + 1,
                      .penalty = scalars_.data() + 2,
                      .loss = scalars_.data() + 3});
  }
  std::vector<float> host(ConstView view) { return download(*kernels_, view); }
  testing::AssertionResult agree(const std::vector<float>& actual,
                                 const std::vector<double>& expected) const {
    return close(actual, expected, tolerance_);
  }

  PenaltyCase case_;
  std::unique_ptr<Kernels> kernels_;
  EbmBbConfig config_;
  reference::Network energy_oracle_, generator_oracle_;
  std::unique_ptr<Network> energy_, generator_;
  reference::Random random_{23};
  reference::EbmBbInputs in_;
  reference::EnergyStep step_;
  std::unique_ptr<EntropyBound> lower_;
  std::unique_ptr<EnergyPenalty> upper_;
  Tensor z_, v0_, alpha_, z_score_;
  Buffer<float> scalars_;
  Tolerance tolerance_{.factor = 8, .reason = "roundings of several layers, of J times s_d / s_1"};
};

TEST_P(EnergyPenaltyTest, LossAndGradient) {
  evaluate(in_.v0);
  const auto& e = energy_oracle_;
  const std::vector<double> real = e(in_.x).values, fake = e(step_.x_fake).values;
  EXPECT_TRUE(agree(host(upper_->energy_real()), real));
  EXPECT_TRUE(agree(host(upper_->energy_fake()), fake));
  const double penalty = upper_mean(config_, in_, step_, e, e.parameters);
  const double loss = energy_loss(config_, in_, step_, e, e.parameters);
  tolerance_.terms = std::max(penalty, 1.0);
  EXPECT_TRUE(agree(scalars_.download(), {reference::mean(real), reference::mean(fake), penalty, loss}));

  const double term = (bidirectional() ? 0.5 : 1.0) * config_.penalty_weight * penalty - config_.hinge;
  const bool idle = case_.options.hinge > 1e3f;
  EXPECT_EQ(term > 0, !idle) << "the case is not what its name says: term " << term;
  if (idle) {
    EXPECT_TRUE(close(loss, reference::mean(real) - reference::mean(fake)));
  }

  const auto gradient = reference::gradient(
      [&](const auto& w) { return energy_loss(config_, in_, step_, e, w); }, e.parameters);
  tolerance_.terms = 0;
  expect_close(energy_->parameters().trainable(), gradients(*kernels_, *energy_), gradient, tolerance_);
}

TEST_P(EnergyPenaltyTest, DirectionalDerivativesAndScore) {
  evaluate(in_.v0);
  const auto& e = energy_oracle_;
  const Rows& points = case_.options.kind == EnergyPenaltyKind::gp_real           ? in_.x
                       : case_.options.kind == EnergyPenaltyKind::gp_interpolated ? step_.x_between
                                                                                  : step_.x_fake;
  const Rows directions = bidirectional() ? step_.jv0 : energy_gradients(e, points, e.parameters);
  const std::vector<double> expected = directional(e, points, e.parameters, directions);
  EXPECT_TRUE(agree(host(upper_->directional()), expected));
  if (!bidirectional()) {
    EXPECT_TRUE(upper_->score().empty());
  } else if (case_.generator == Output::tanh) {
    EXPECT_TRUE(agree(host(upper_->score()), step_.a.values));
    EXPECT_NE(host(upper_->score()), z_.download());
  } else {
    EXPECT_EQ(host(upper_->score()), z_.download()) << "without a curved layer a is z itself";
  }
}

class BidirectionalTest : public EnergyPenaltyTest {};

/// log Z^ in the place of -mean E(x~), where x~ has the density N(z; 0, I) / |det J|.
class WeighedSamplesTest : public EnergyPenaltyTest {};

TEST_P(WeighedSamplesTest, LossAndGradient) {
  const std::vector<double> log_det = reference::rounded_to_float(random_.normals(batch));
  const Tensor log_dets = on_device(*kernels_, Rows(batch, 1, log_det));
  const std::vector<double> good{1, 1, 0, 1, 1};
  const Tensor goods = on_device(*kernels_, Rows(batch, 1, good));
  const Buffer<float> more(*kernels_, 2);
  evaluate(in_.v0);
  const bool penalised = case_.options.kind != EnergyPenaltyKind::none;
  upper_->evaluate(
      {.z = z_, .v0 = v0_, .z_score = z_score_, .alpha = alpha_, .log_det = log_dets, .good = goods},
      {.energy_real = scalars_.data(),
       .energy_fake = scalars_.data() + 1,
       .penalty = scalars_.data() + 2,
       .loss = scalars_.data() + 3,
       .log_z = more.data(),
       .effective_samples = more.data() + 1});
  const auto& e = energy_oracle_;
  const auto log_z = [&](const auto& w) {
    using T = typename std::decay_t<decltype(w)>::value_type;
    using std::exp;
    using std::log;
    const std::vector<T> fake = e(reference::lift<T>(step_.x_fake), w).values;
    T sum = T(0.0);
    for (size_t i = 0; i < fake.size(); ++i) {
      const auto z = in_.z.row(static_cast<int64_t>(i));
      const double log_q = -reference::dot(z, z) / 2 - d / 2.0 * std::log(2 * std::numbers::pi) - log_det[i];
      if (good[i] != 0) sum += exp(-fake[i] - T(log_q));
    }
    return log(sum / T(batch - 1.0));
  };
  const auto loss = [&](const auto& w) {
    using T = typename std::decay_t<decltype(w)>::value_type;
    const T real = reference::mean(e(reference::lift<T>(in_.x), w).values),
            fake = reference::mean(e(reference::lift<T>(step_.x_fake), w).values);
    const T term = penalised ? energy_loss(config_, in_, step_, e, w) - (real - fake) : T(0.0);
    return real + log_z(w) + term;
  };
  EXPECT_TRUE(agree({more.download()[0], scalars_.download()[3]}, {log_z(e.parameters), loss(e.parameters)}));
  expect_close(energy_->parameters().trainable(), gradients(*kernels_, *energy_),
               reference::gradient(loss, e.parameters), tolerance_);
}

TEST_P(BidirectionalTest, BadSamplesAreNotPenalised) {
  constexpr int64_t bad = 1;
  evaluate(spoiled(in_.v0, bad, std::nan("")));
  ASSERT_EQ(host(lower_->good()), (std::vector<float>{1, 0, 1, 1, 1}));

  // the means over x and x~ are those of all, the penalty is the mean over the others
  reference::EbmBbInputs others = in_;
  reference::EnergyStep step = step_;
  for (Rows* rows : {&others.v0, &step.x_fake, &step.jv0, &step.a}) {
    const auto first = rows->values.begin() + bad * rows->cols;
    rows->values.erase(first, first + rows->cols);
    --rows->rows;
  }
  const auto& e = energy_oracle_;
  const auto loss = [&](const auto& w) {
    using T = typename std::decay_t<decltype(w)>::value_type;
    const T over = T(config_.penalty_weight / 2) * upper_mean(config_, others, step, e, w) - T(config_.hinge);
    const T difference = reference::mean(e(reference::lift<T>(in_.x), w).values) -
                         reference::mean(e(reference::lift<T>(step_.x_fake), w).values);
    return over > T(0.0) ? difference + over : difference;
  };
  const double penalty = upper_mean(config_, others, step, e, e.parameters);
  tolerance_.terms = std::max(penalty, 1.0);
  const std::vector<float> scalars = scalars_.download();
  EXPECT_TRUE(agree({scalars[2], scalars[3]}, {penalty, loss(e.parameters)}));
  tolerance_.terms = 0;
  expect_close(energy_->parameters().trainable(), gradients(*kernels_, *energy_),
               reference::gradient(loss, e.parameters), tolerance_);
}

TEST_P(EnergyPenaltyTest, AllocatesNothingAndCountsItsPasses) {
  evaluate(in_.v0);
  energy_->reset_passes();
  const int64_t allocations = kernels_->allocations();
  queue();
  EXPECT_EQ(kernels_->allocations(), allocations);
  const PassCounts& passes = energy_->passes();
  const bool interpolated = case_.options.kind == EnergyPenaltyKind::gp_interpolated;
  const int64_t values = interpolated ? 3 : 2;
  const bool shared =
      case_.options.backward == PairBackward::automatic && case_.energy == Energy::piecewise_linear;
  const int64_t backward = shared ? values : values + 1;  // in batches: one signal, or one more for E'
  EXPECT_EQ(passes.forward, (values + 1) * batch);
  EXPECT_EQ(passes.input_gradient, (backward + (bidirectional() ? 0 : 1)) * batch);
  EXPECT_EQ(passes.weight_gradient, backward * batch);
}

std::vector<PenaltyCase> bidirectional_cases() {
  std::vector<PenaltyCase> cases = penalty_cases();
  // Coupled samples: a bad one stays in the others' batch statistics.
  std::erase_if(cases, [](const PenaltyCase& c) {
    return c.options.kind != EnergyPenaltyKind::bidirectional || c.energy == Energy::coupled;
  });
  return cases;
}
std::vector<PenaltyCase> importance_cases() {
  std::vector<PenaltyCase> cases{
      {"Alone", {.kind = EnergyPenaltyKind::none, .hinge = 0}},
      {"WithBidirectional", {.kind = EnergyPenaltyKind::bidirectional, .weight = 2, .hinge = 0.1f}},
      {"WithGradientReal",
       {.kind = EnergyPenaltyKind::gp_real,
        .weight = 4,
        .normaliser = PenaltyNormaliser::none,
        .hinge = 0.1f}}};
  for (PenaltyCase& c : cases) c.options.samples = SampleWeighting::importance;
  return cases;
}
std::string penalty_test_name(const testing::TestParamInfo<std::tuple<PenaltyCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, EnergyPenaltyTest,
                         testing::Combine(testing::ValuesIn(penalty_cases()), testing::ValuesIn(devices())),
                         penalty_test_name);
INSTANTIATE_TEST_SUITE_P(All, WeighedSamplesTest,
                         testing::Combine(testing::ValuesIn(importance_cases()),
                                          testing::ValuesIn(devices())),
                         penalty_test_name);
INSTANTIATE_TEST_SUITE_P(All, BidirectionalTest,
                         testing::Combine(testing::ValuesIn(bidirectional_cases()),
                                          testing::ValuesIn(devices())),
                         penalty_test_name);

TEST(EnergyPenaltyErrors, BidirectionalNeedsAEntropyBound) {
  const auto kernels = open_device("cpu");
  const auto energy = network_of(*kernels, energy_oracle(Energy::piecewise_linear), D);
  EXPECT_THROW(
      make_energy_penalty(*kernels, *energy, nullptr, batch, {.kind = EnergyPenaltyKind::bidirectional}),
      Error);
}

}  // namespace
}  // namespace ebm::test
