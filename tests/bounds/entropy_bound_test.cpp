// SPDX-License-Identifier: MIT
// Every lower bound against the oracle: values, vectors, and gradients with respect to z and the parameters.
#include "bounds/entropy_bound.h"

#include <map>
#include <tuple>

#include "bounds/bound_case.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = BoundCase::batch;

class EntropyBoundTest : public testing::TestWithParam<std::tuple<BoundCase, std::string>> {
 protected:
  EntropyBoundTest()
      : case_(std::get<0>(GetParam())),
        expected_(expected_of(case_)),
        kernels_(open_device(std::get<1>(GetParam()))),
        generator_(network_of(*kernels_, expected_.generator, case_.d)),
        z_(on_device(*kernels_, expected_.z)),
        v0_(on_device(*kernels_, expected_.v0)),
        p0_(on_device(*kernels_, expected_.p0)),
        z_bar_(unwritten(*kernels_, batch, flat(case_.d))),
        tolerance_{.factor = 2 * expected_.condition, .reason = "roundings of J times s_d / s_1"} {}

  static const ExpectedBound& expected_of(const BoundCase& bound) {
    static std::map<std::string, ExpectedBound> known;
    if (!known.contains(bound.name)) known.emplace(bound.name, expected_bound(bound));
    return known.at(bound.name);
  }

  /// A bound whose preconditioner, where there is one, has seen all rounds but the last.
  std::unique_ptr<EntropyBound> make() {
    auto bound = make_entropy_bound(*kernels_, *generator_, batch, case_.options);
    EXPECT_EQ(bound->wants_e(), case_.preconditioned());
    EXPECT_EQ(bound->wants_p0(), case_.options.direction == Direction::authors);
    for (size_t round = 0; case_.preconditioned() && round + 1 < expected_.e.size(); ++round) {
      evaluate(*bound, z_, v0_, round);
    }
    return bound;
  }
  void evaluate(EntropyBound& bound, const Tensor& z, const Tensor& v0, size_t round) {
    e_ = on_device(*kernels_, expected_.e[round]);
    bound.evaluate(z, {.v0 = v0,
                       .p0 = bound.wants_p0() ? ConstView(p0_) : ConstView{},
                       .e = bound.wants_e() ? ConstView(e_) : ConstView{}});
  }
  void evaluate(EntropyBound& bound, const Tensor& z, const Tensor& v0) {
    evaluate(bound, z, v0, expected_.e.size() - 1);
  }
  /// z_bar where it is not zero by nature.
  View wanted_z_bar() const { return case_.output == Output::tanh ? z_bar_.view() : View{}; }
  std::vector<float> host(ConstView view) { return download(*kernels_, view); }

  BoundCase case_;
  const ExpectedBound& expected_;
  std::unique_ptr<Kernels> kernels_;
  std::unique_ptr<Network> generator_;
  Tensor z_, v0_, p0_, e_, z_bar_;
  Tolerance tolerance_;
};

TEST_P(EntropyBoundTest, ValuesAndVectors) {
  const auto bound = make();
  evaluate(*bound, z_, v0_);
  EXPECT_EQ(host(bound->good()), std::vector<float>(batch, 1));
  EXPECT_EQ(host(bound->floored()), std::vector<float>(batch, 0));
  EXPECT_TRUE(close(host(bound->value()), expected_.values(), tolerance_));
  if (case_.options.kind == EntropyBoundKind::slq) {
    for (const float x : host(bound->log_s1())) EXPECT_TRUE(std::isnan(x)) << "slq knows no singular value";
  } else {
    EXPECT_TRUE(close(host(bound->log_s1()), expected_.log_s1, tolerance_));
  }
  if (case_.options.kind == EntropyBoundKind::logdet) {
    EXPECT_TRUE(bound->v().empty());
  } else {
    const std::vector<float> v = host(bound->v());
    std::vector<double> expected;
    for (int64_t b = 0; b < batch; ++b) {  // the oracle's sign is free
      reference::Vector<double> row = expected_.samples[static_cast<size_t>(b)].v;
      const reference::Vector<double> actual(v.begin() + b * case_.d, v.begin() + (b + 1) * case_.d);
      if (reference::dot(row, actual) < 0) row = reference::scale(-1.0, row);
      expected.insert(expected.end(), row.begin(), row.end());
      if (case_.options.kind == EntropyBoundKind::s1) {
        EXPECT_GE(reference::dot(actual, expected_.v0.row(b)), 0);
      }
    }
    EXPECT_TRUE(close(v, expected, tolerance_));
  }
  const Tensor jv0 = unwritten(*kernels_, batch, flat(case_.range()));
  const int64_t passes = bound->jacobian().applications();
  bound->probe_product(jv0);
  EXPECT_EQ(bound->jacobian().applications() - passes, case_.options.kind == EntropyBoundKind::slq ? 1 : 0);
  EXPECT_TRUE(close(jv0.download(), expected_.jv0.values, {.factor = 4, .reason = "several layers"}));
}

TEST_P(EntropyBoundTest, Gradients) {
  const auto bound = make();
  const Parameters& parameters = generator_->parameters();
  const std::vector<double> w_bar = expected_.parameter_gradient();
  std::vector<double> before = reference::rounded_to_float(reference::Random(1).normals(std::ssize(w_bar)));
  scatter(*kernels_, parameters.trainable(), parameters.gradients(), before);
  evaluate(*bound, z_, v0_);
  EXPECT_EQ(bound->jacobian().z_depends(), case_.output == Output::tanh);

  bound->gradient(wanted_z_bar(), Gradient::ignore);
  EXPECT_EQ(gradients(*kernels_, *generator_), reference::to_float(before));
  if (case_.output == Output::tanh) {
    EXPECT_TRUE(close(z_bar_.download(), expected_.z_gradient(), tolerance_));
  } else {
    EXPECT_EQ(expected_.z_gradient(), std::vector<double>(static_cast<size_t>(batch * case_.d), 0.0));
    EXPECT_THROW(bound->gradient(z_bar_, Gradient::ignore), Error);
  }
  bound->gradient(wanted_z_bar(), Gradient::overwrite);
  expect_close(parameters.trainable(), gradients(*kernels_, *generator_), w_bar, tolerance_);
  bound->gradient({}, Gradient::accumulate);
  expect_close(parameters.trainable(), gradients(*kernels_, *generator_), reference::scale(2.0, w_bar),
               tolerance_);
}

TEST_P(EntropyBoundTest, ABadSampleIsLeftOut) {
  constexpr int64_t bad = 2;
  const auto run = [&](const Tensor& v0) {
    const auto once = make();  // the preconditioner must not see a row twice
    evaluate(*once, z_, v0);
    once->gradient(wanted_z_bar(), Gradient::overwrite);
    return std::vector<std::vector<float>>{host(once->good()), host(once->value()), host(z_bar_),
                                           host(once->floored())};
  };
  const auto good = run(v0_);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double number : {std::nan(""), infinity, -infinity}) {
    SCOPED_TRACE(number);
    const auto found = run(on_device(*kernels_, spoiled(expected_.v0, bad, number)));
    EXPECT_EQ(found[0], (std::vector<float>{1, 1, 0, 1, 1}));
    EXPECT_EQ(found[3], std::vector<float>(batch, 0));
    for (int64_t b = 0; b < batch; ++b) {
      const auto row = static_cast<size_t>(b);
      EXPECT_EQ(found[1][row], b == bad ? 0 : good[1][row]) << "value of sample " << b;
      for (int64_t i = 0; case_.output == Output::tanh && i < case_.d; ++i) {
        const auto at = static_cast<size_t>(b * case_.d + i);
        EXPECT_EQ(found[2][at], b == bad ? 0 : good[2][at]) << "z_bar of sample " << b;
      }
    }
    expect_close(generator_->parameters().trainable(), gradients(*kernels_, *generator_),
                 expected_.parameter_gradient(bad), tolerance_);
  }
}

/// J = 0: no number is bad, but the value is the floor's, as is log s1, and moves nothing.
TEST_P(EntropyBoundTest, ARankThatIsLostIsTold) {
  const auto bound = make();
  const Parameters& parameters = generator_->parameters();
  const Parameter& weight = parameters.trainable()[parameters.trainable().size() - 2];  // of the last layer
  ASSERT_EQ(weight.shape, (std::vector<int64_t>{case_.range(), BoundCase::hidden}));
  const View last{weight.value, 1, flat(weight.size)};
  kernels_->zero(last.data, last.bytes());
  evaluate(*bound, z_, v0_);
  EXPECT_EQ(host(bound->good()), std::vector<float>(batch, 1));
  EXPECT_EQ(host(bound->floored()), std::vector<float>(batch, 1));
  const double log_floor = 0.5 * std::log(1e-90);
  for (const float value : host(bound->value())) EXPECT_TRUE(std::isfinite(value)) << value;
  if (case_.options.kind != EntropyBoundKind::slq) {
    EXPECT_TRUE(close(host(bound->log_s1()), std::vector<double>(batch, log_floor)));
    EXPECT_TRUE(
        close(host(bound->value()), std::vector<double>(batch, static_cast<double>(case_.d) * log_floor)));
  }
  bound->gradient(wanted_z_bar(), Gradient::overwrite);
  const std::vector<float> moved = gradients(*kernels_, *generator_);
  EXPECT_EQ(moved, std::vector<float>(moved.size(), 0));
}

TEST_P(EntropyBoundTest, ProbesAlone) {
  constexpr int64_t bad = 3;
  const auto bound = make();
  const Tensor jv0 = unwritten(*kernels_, batch, flat(case_.range()));
  bound->probe(z_, v0_, jv0);
  EXPECT_TRUE(close(jv0.download(), expected_.jv0.values, {.factor = 4, .reason = "several layers"}));
  EXPECT_EQ(host(bound->good()), std::vector<float>(batch, 1));

  const std::vector<float> good = jv0.download();
  const Tensor v0 = on_device(*kernels_, spoiled(expected_.v0, bad, std::nan("")));
  bound->probe(z_, v0, jv0);
  EXPECT_EQ(host(bound->good()), (std::vector<float>{1, 1, 1, 0, 1}));
  std::vector<float> expected = good;
  std::fill_n(expected.begin() + bad * case_.range(), case_.range(), 0.0f);
  EXPECT_EQ(jv0.download(), expected);
}

TEST_P(EntropyBoundTest, AllocatesNothing) {
  const auto bound = make();
  const Tensor jv0(*kernels_, batch, flat(case_.range()));
  bound->probe(z_, v0_, jv0);
  evaluate(*bound, z_, v0_);
  const int64_t allocations = kernels_->allocations();
  bound->evaluate(z_, {.v0 = v0_,
                       .p0 = bound->wants_p0() ? ConstView(p0_) : ConstView{},
                       .e = bound->wants_e() ? ConstView(e_) : ConstView{}});
  bound->probe_product(jv0);
  bound->gradient(wanted_z_bar(), Gradient::overwrite);
  EXPECT_EQ(kernels_->allocations(), allocations);
}

/// sum_t u_bar[t]^T J v[t] = d in every kind. Where G ends in a linear map W it is <W, the gradient by W>.
class LinearEntropyBoundTest : public EntropyBoundTest {};
TEST_P(LinearEntropyBoundTest, TheCotangentsPairWithJToD) {
  const auto bound = make();
  evaluate(*bound, z_, v0_);
  bound->gradient({}, Gradient::overwrite);
  const Parameters& parameters = generator_->parameters();
  const Parameter& last = parameters.trainable()[parameters.trainable().size() - 2];  // then its bias
  EXPECT_EQ(last.shape, (std::vector<int64_t>{case_.range(), BoundCase::hidden}));
  const std::vector<float> w = host(Parameters::part(parameters.values(), last)),
                           w_bar = host(Parameters::part(parameters.gradients(), last));
  double sum = 0, terms = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    sum += double{w[i]} * w_bar[i];
    terms += std::abs(double{w[i]} * w_bar[i]);
  }
  EXPECT_TRUE(close(static_cast<float>(sum), static_cast<double>(batch * case_.d),
                    {.factor = tolerance_.factor, .reason = tolerance_.reason, .terms = terms}));
}

/// d log s1 <= d/2 log theta_K, which falls as K grows, and d log s1 <= L <= d/2 log(tr(J^T J) / d).
class BoundsOrderTest : public testing::TestWithParam<std::string> {};

TEST_P(BoundsOrderTest, IsTheOneThatIsProved) {
  constexpr int64_t d = 7;
  const auto kernels = open_device(GetParam());
  for (const Output output : {Output::linear, Output::tanh}) {
    const reference::Network oracle = generator_oracle(d, BoundCase::hidden, d + 1, output);
    const auto generator = network_of(*kernels, oracle, d);
    reference::Random random(5);
    const Rows z = random_rows(random, batch, d);
    const Tensor points = on_device(*kernels, z), v0 = on_device(*kernels, random_rows(random, batch, d));
    const auto values = [&](const EntropyBoundOptions& options) {
      const auto bound = make_entropy_bound(*kernels, *generator, batch, options);
      bound->evaluate(points, {.v0 = v0, .p0 = {}, .e = {}});
      return download(*kernels, bound->value());
    };
    const double rounding = 1e-5 * worst_condition(oracle, z);
    const std::vector<float> s1 = values({.kind = EntropyBoundKind::s1}),
                             log_det = values({.kind = EntropyBoundKind::logdet});
    std::vector<float> before(batch, HUGE_VALF);
    for (const int64_t iterations : {0, 1, 2, 3, 5, 9, 20}) {
      const std::vector<float> estimate = values({.lobpcg_iterations = iterations});
      for (size_t b = 0; b < estimate.size(); ++b) {
        EXPECT_LE(estimate[b], before[b] + rounding) << iterations;
        EXPECT_GE(estimate[b], s1[b] - rounding) << iterations;
        EXPECT_TRUE(iterations < 20 || estimate[b] <= log_det[b]) << "it has converged";
      }
      before = estimate;
    }
    for (int64_t b = 0; b < batch; ++b) {
      const Rows j = jacobian(oracle, z.row(b), oracle.parameters);
      const double most = 0.5 * d * std::log(reference::dot(j.values, j.values) / d);
      EXPECT_LT(s1[static_cast<size_t>(b)], log_det[static_cast<size_t>(b)]);
      EXPECT_LT(log_det[static_cast<size_t>(b)], most);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, BoundsOrderTest, testing::ValuesIn(devices()));

TEST(EntropyBoundErrors, WhatMakesNoSense) {
  const auto kernels = open_device("cpu");
  const auto generator = network_of(*kernels, generator_oracle(4, BoundCase::hidden, 5, Output::linear), 4);
  const auto make = [&](const EntropyBoundOptions& options) {
    return make_entropy_bound(*kernels, *generator, batch, options);
  };
  using enum EntropyBoundKind;
  for (const EntropyBoundKind exact : {s1, logdet}) {
    EXPECT_THROW(make({.kind = exact, .preconditioning = Preconditioning::running_gram}), Error);
  }
  EXPECT_THROW(make({.kind = lobpcg,
                     .direction = Direction::authors,
                     .preconditioning = Preconditioning::running_gram}),
               Error);
  EXPECT_THROW(make({.kind = lobpcg, .lobpcg_iterations = -1}), Error);
  EXPECT_THROW(make({.kind = slq, .lanczos_pairs = 0}), Error);
}

/// With a tanh J depends on z: one row of z makes one sample's J whatever a test wants.
class CurvedEntropyBoundTest : public EntropyBoundTest {
 protected:
  static constexpr int64_t special = 2;

  struct Found {
    std::vector<float> good, value, z_bar;
  };
  Found at(const Rows& z) {
    const auto bound = make();
    const Tensor points = on_device(*kernels_, z);
    evaluate(*bound, points, v0_);
    bound->gradient(z_bar_, Gradient::overwrite);
    return {host(bound->good()), host(bound->value()), z_bar_.download()};
  }
  /// All samples but `special` have the same bits in both.
  void expect_others_unchanged(const Found& found, const Found& before) {
    for (int64_t b = 0; b < batch; ++b) {
      if (b == special) continue;
      EXPECT_EQ(found.value[static_cast<size_t>(b)], before.value[static_cast<size_t>(b)]) << b;
      for (int64_t i = b * case_.d; i < (b + 1) * case_.d; ++i)
        EXPECT_EQ(found.z_bar[static_cast<size_t>(i)], before.z_bar[static_cast<size_t>(i)]) << i;
    }
  }
};

TEST_P(CurvedEntropyBoundTest, APointThatIsNotFiniteIsFlagged) {
  const Found before = at(expected_.z);
  const Found found = at(spoiled(expected_.z, special, std::nan("")));
  EXPECT_EQ(found.good, (std::vector<float>{1, 1, 0, 1, 1}));
  EXPECT_EQ(found.value[special], 0);
  if (!case_.preconditioned()) expect_others_unchanged(found, before);
}

TEST_P(CurvedEntropyBoundTest, AtTheFloorASampleMovesNothing) {
  const Found before = at(expected_.z);
  Rows z = expected_.z;
  for (int64_t i = 0; i < z.cols; ++i) z(special, i) *= 1e4;  // every tanh is saturated: J = 0
  const Found found = at(z);
  EXPECT_EQ(found.good, std::vector<float>(batch, 1));
  EXPECT_TRUE(std::isfinite(found.value[special]));
  EXPECT_LT(found.value[special], 2 * expected_.values()[special]);
  for (int64_t i = 0; i < case_.d; ++i) EXPECT_EQ(found.z_bar[static_cast<size_t>(special * case_.d + i)], 0);
  if (case_.preconditioned()) return;  // M sees all samples
  expect_others_unchanged(found, before);
  expect_close(generator_->parameters().trainable(), gradients(*kernels_, *generator_),
               expected_.parameter_gradient(special), tolerance_);
}

std::vector<BoundCase> cases_with(Output output) {
  std::vector<BoundCase> cases = bound_cases();
  std::erase_if(cases, [output](const BoundCase& bound) { return bound.output != output; });
  return cases;
}
std::string bound_test_name(const testing::TestParamInfo<std::tuple<BoundCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(All, EntropyBoundTest,
                         testing::Combine(testing::ValuesIn(bound_cases()), testing::ValuesIn(devices())),
                         bound_test_name);
/// J in true float32, though TF32 is allowed.
INSTANTIATE_TEST_SUITE_P(Tf32, EntropyBoundTest,
                         testing::Combine(testing::ValuesIn(bound_cases()),
                                          testing::ValuesIn(devices_with_tf32())),
                         bound_test_name);
INSTANTIATE_TEST_SUITE_P(All, CurvedEntropyBoundTest,
                         testing::Combine(testing::ValuesIn(cases_with(Output::tanh)),
                                          testing::ValuesIn(devices())),
                         bound_test_name);
INSTANTIATE_TEST_SUITE_P(All, LinearEntropyBoundTest,
                         testing::Combine(testing::ValuesIn(cases_with(Output::linear)),
                                          testing::ValuesIn(devices())),
                         bound_test_name);

}  // namespace
}  // namespace ebm::test
