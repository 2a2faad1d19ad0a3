// SPDX-License-Identifier: MIT
// Every lower bound against the oracle: values, vectors, and gradients with respect to z and the parameters.
#include "bounds/lower_bound.h"

#include <map>
#include <tuple>

#include "bounds/bounds_fixture.h"
#include "support/oracle_options.h"

namespace ebm::test {
namespace {

using reference::EntropySample;
using reference::GameConfig;

constexpr int64_t batch = 5, hidden = 11;

struct BoundCase {
  std::string name;
  LowerBoundOptions options;
  int64_t d;
  Output output;

  int64_t range() const { return d + 1; }
  bool preconditioned() const { return options.preconditioning == Preconditioning::running_gram; }
};
std::ostream& operator<<(std::ostream& out, const BoundCase& bound) {
  return out << bound.name;
}

std::vector<BoundCase> bound_cases() {
  using enum LowerBoundKind;
  std::vector<BoundCase> cases;
  for (const auto& [suffix, output] : {std::pair{"", Output::linear}, std::pair{"Tanh", Output::tanh}}) {
    const auto add = [&](const std::string& name, int64_t d, const LowerBoundOptions& options) {
      cases.push_back({name + suffix, options, d, output});
    };
    add("Lobpcg", 7, {.kind = lobpcg});
    add("LobpcgOneStep", 3, {.kind = lobpcg, .lobpcg_iterations = 1});
    add("LobpcgOfFewDimensions", 3, {.kind = lobpcg});
    add("LobpcgAuthors", 7, {.kind = lobpcg, .direction = Direction::authors});
    add("LobpcgPreconditioned", 6, {.kind = lobpcg, .preconditioning = Preconditioning::running_gram});
    add("ExactSingularValue", 4, {.kind = s1});
    add("LogDet", 4, {.kind = logdet});
    add("Slq", 6, {.kind = slq, .lanczos_pairs = 3});
    add("SlqPreconditioned", 6,
        {.kind = slq, .lanczos_pairs = 2, .preconditioning = Preconditioning::running_gram});
  }
  return cases;
}

/// The preconditioner's M after `rounds` of rows h = J^T e (linalg/preconditioner.h), at fixed points z.
Rows running_gram(const reference::Network& g, const Rows& z, const std::vector<Rows>& rounds) {
  const double beta = 0.98;
  Rows sum(z.cols, z.cols);
  double weight = 0;
  for (const Rows& e : rounds) {
    for (double& element : sum.values) element *= beta;
    weight = beta * weight + (1 - beta);
    for (int64_t b = 0; b < z.rows; ++b) {
      const auto h = multiply(transpose(jacobian(g, z.row(b), g.parameters)), e.row(b));
      for (int64_t i = 0; i < z.cols; ++i)
        for (int64_t j = 0; j < z.cols; ++j)
          sum(i, j) += (1 - beta) / static_cast<double>(z.rows) * h[i] * h[j];
    }
  }
  double trace = 0;
  for (double& element : sum.values) element /= weight;
  for (int64_t i = 0; i < z.cols; ++i) trace += sum(i, i);
  for (int64_t i = 0; i < z.cols; ++i) sum(i, i) += 1e-6 * trace / static_cast<double>(z.cols);
  return sum;
}

EntropySample sample_of(const BoundCase& bound, const reference::Network& g,
                        const reference::Vector<double>& z, const reference::Vector<double>& v0,
                        const reference::Vector<double>& p0, const Rows& m) {
  if (bound.preconditioned()) {
    const Rows j = jacobian(g, z, g.parameters), root = cholesky(m);
    if (bound.options.kind == LowerBoundKind::slq) {
      const reference::Slq found = slq(j, v0, bound.options.lanczos_pairs, 0.1, root);
      return {.value = found.gauss, .log_s1 = 0, .v = found.v, .u = found.u};
    }
    Rows inverse(m.rows, m.rows);
    for (int64_t i = 0; i < m.rows; ++i)
      inverse.set_column(i, solve_spd(m, reference::identity(m.rows).column(i)));
    const reference::Iterates found =
        lobpcg(j, v0, {.iterations = bound.options.lobpcg_iterations, .p0 = {}, .preconditioner = inverse});
    return {.value = static_cast<double>(z.size()) * found.log_s1(),
            .log_s1 = found.log_s1(),
            .v = found.v,
            .u = {}};
  }
  GameConfig config;
  set_lower_bound(config, bound.options);
  return entropy_sample(config, g, z, v0, p0);
}

/// One case: its inputs, and what the oracle makes of them sample by sample.
struct Expected {
  reference::Network generator;
  Rows z, v0, p0;
  std::vector<Rows> e = {};  ///< range probes: as many rounds as make the preconditioner act
  double condition = 1;
  std::vector<EntropySample> samples = {};
  std::vector<reference::SampleGradient> gradients = {};
  std::vector<double> log_s1 = {};
  Rows jv0 = {};

  std::vector<double> values() const {
    std::vector<double> all;
    for (const EntropySample& sample : samples) all.push_back(sample.value);
    return all;
  }
  /// The sum over all samples but one (-1: over all).
  std::vector<double> parameter_gradient(int64_t without = -1) const {
    std::vector<double> sum(generator.parameters.size(), 0.0);
    for (int64_t b = 0; b < batch; ++b) {
      if (b != without) sum = reference::combine(1.0, sum, 1.0, gradients[static_cast<size_t>(b)].w_bar);
    }
    return sum;
  }
  std::vector<double> z_gradient() const {
    std::vector<double> all;
    for (const auto& g : gradients) all.insert(all.end(), g.z_bar.begin(), g.z_bar.end());
    return all;
  }
};

Expected compute(const BoundCase& bound) {
  reference::Random random(17);
  const int64_t d = bound.d, D = bound.range();
  Expected x{.generator = generator_oracle(d, hidden, D, bound.output),
             .z = random_rows(random, batch, d),
             .v0 = random_rows(random, batch, d),
             .p0 = random_rows(random, batch, d)};
  for (int64_t rows = 0; rows < 4 * d + 2 * batch; rows += batch)
    x.e.push_back(random_rows(random, batch, D));
  const reference::Network& g = x.generator;
  const Rows m = bound.preconditioned() ? running_gram(g, x.z, x.e) : Rows();
  x.condition = worst_condition(g, x.z);
  x.jv0 = Rows(batch, D);
  for (int64_t b = 0; b < batch; ++b) {
    const auto z = x.z.row(b);
    x.samples.push_back(sample_of(bound, g, z, x.v0.row(b), x.p0.row(b), m));
    const EntropySample& sample = x.samples.back();
    x.gradients.push_back(reference::sample_gradient(
        [&](const auto& any_z, const auto& w) { return entropy_surrogate(sample, g, any_z, w); }, z,
        g.parameters));
    const bool exact = bound.options.kind == LowerBoundKind::logdet;
    x.log_s1.push_back(exact ? std::log(smallest_singular(jacobian(g, z, g.parameters)).s) : sample.log_s1);
    x.jv0.set_row(b, jacobian_times(g, z, g.parameters, x.v0.row(b)));
  }
  return x;
}

class LowerBoundTest : public testing::TestWithParam<std::tuple<BoundCase, std::string>> {
 protected:
  LowerBoundTest()
      : case_(std::get<0>(GetParam())),
        expected_(expected_of(case_)),
        kernels_(open_device(std::get<1>(GetParam()))),
        generator_(network_of(*kernels_, expected_.generator, case_.d)),
        z_(on_device(*kernels_, expected_.z)),
        v0_(on_device(*kernels_, expected_.v0)),
        p0_(on_device(*kernels_, expected_.p0)),
        z_bar_(unwritten(*kernels_, batch, flat(case_.d))),
        tolerance_{.factor = 2 * expected_.condition, .reason = "roundings of J times s_d / s_1"} {}

  static const Expected& expected_of(const BoundCase& bound) {
    static std::map<std::string, Expected> known;
    if (!known.contains(bound.name)) known.emplace(bound.name, compute(bound));
    return known.at(bound.name);
  }

  /// A bound whose preconditioner, where there is one, has seen all rounds but the last.
  std::unique_ptr<LowerBound> make() {
    auto bound = make_lower_bound(*kernels_, *generator_, batch, case_.options);
    EXPECT_EQ(bound->wants_e(), case_.preconditioned());
    EXPECT_EQ(bound->wants_p0(), case_.options.direction == Direction::authors);
    for (size_t round = 0; case_.preconditioned() && round + 1 < expected_.e.size(); ++round) {
      evaluate(*bound, z_, v0_, round);
    }
    return bound;
  }
  void evaluate(LowerBound& bound, const Tensor& z, const Tensor& v0, size_t round) {
    e_ = on_device(*kernels_, expected_.e[round]);
    bound.evaluate(z, {.v0 = v0,
                       .p0 = bound.wants_p0() ? ConstView(p0_) : ConstView{},
                       .e = bound.wants_e() ? ConstView(e_) : ConstView{}});
  }
  void evaluate(LowerBound& bound, const Tensor& z, const Tensor& v0) {
    evaluate(bound, z, v0, expected_.e.size() - 1);
  }
  /// z_bar where it is not zero by nature.
  View wanted_z_bar() const { return case_.output == Output::tanh ? z_bar_.view() : View{}; }
  std::vector<float> host(ConstView view) { return download(*kernels_, view); }

  BoundCase case_;
  const Expected& expected_;
  std::unique_ptr<Kernels> kernels_;
  std::unique_ptr<Network> generator_;
  Tensor z_, v0_, p0_, e_, z_bar_;
  Tolerance tolerance_;
};

TEST_P(LowerBoundTest, ValuesAndVectors) {
  const auto bound = make();
  evaluate(*bound, z_, v0_);
  EXPECT_EQ(host(bound->good()), std::vector<float>(batch, 1));
  EXPECT_TRUE(close(host(bound->value()), expected_.values(), tolerance_));
  if (case_.options.kind == LowerBoundKind::slq) {
    for (const float x : host(bound->log_s1())) EXPECT_TRUE(std::isnan(x)) << "slq knows no singular value";
  } else {
    EXPECT_TRUE(close(host(bound->log_s1()), expected_.log_s1, tolerance_));
  }
  if (case_.options.kind == LowerBoundKind::logdet) {
    EXPECT_TRUE(bound->v().empty());
  } else {
    const std::vector<float> v = host(bound->v());
    std::vector<double> expected;
    for (int64_t b = 0; b < batch; ++b) {  // the oracle's sign is free
      reference::Vector<double> row = expected_.samples[static_cast<size_t>(b)].v;
      const reference::Vector<double> actual(v.begin() + b * case_.d, v.begin() + (b + 1) * case_.d);
      if (reference::dot(row, actual) < 0) row = reference::scale(-1.0, row);
      expected.insert(expected.end(), row.begin(), row.end());
      if (case_.options.kind == LowerBoundKind::s1) {
        EXPECT_GE(reference::dot(actual, expected_.v0.row(b)), 0);
      }
    }
    EXPECT_TRUE(close(v, expected, tolerance_));
  }
  const Tensor jv0 = unwritten(*kernels_, batch, flat(case_.range()));
  bound->probe_product(jv0);
  EXPECT_TRUE(close(jv0.download(), expected_.jv0.values, {.factor = 4, .reason = "several layers"}));
}

TEST_P(LowerBoundTest, Gradients) {
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

TEST_P(LowerBoundTest, ABadSampleIsLeftOut) {
  constexpr int64_t bad = 2;
  const auto run = [&](const Tensor& v0) {
    const auto once = make();  // the preconditioner must not see a row twice
    evaluate(*once, z_, v0);
    once->gradient(wanted_z_bar(), Gradient::overwrite);
    return std::vector<std::vector<float>>{host(once->good()), host(once->value()), host(z_bar_)};
  };
  const auto good = run(v0_);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double number : {std::nan(""), infinity, -infinity}) {
    SCOPED_TRACE(number);
    const auto found = run(on_device(*kernels_, spoiled(expected_.v0, bad, number)));
    EXPECT_EQ(found[0], (std::vector<float>{1, 1, 0, 1, 1}));
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

TEST_P(LowerBoundTest, ProbesAlone) {
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

TEST_P(LowerBoundTest, AllocatesNothing) {
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

TEST(LowerBoundErrors, WhatMakesNoSense) {
  const auto kernels = open_device("cpu");
  const auto generator = network_of(*kernels, generator_oracle(4, hidden, 5, Output::linear), 4);
  const auto make = [&](const LowerBoundOptions& options) {
    return make_lower_bound(*kernels, *generator, batch, options);
  };
  using enum LowerBoundKind;
  for (const LowerBoundKind exact : {s1, logdet}) {
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
class CurvedLowerBoundTest : public LowerBoundTest {
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

TEST_P(CurvedLowerBoundTest, APointThatIsNotFiniteIsFlagged) {
  const Found before = at(expected_.z);
  const Found found = at(spoiled(expected_.z, special, std::nan("")));
  EXPECT_EQ(found.good, (std::vector<float>{1, 1, 0, 1, 1}));
  EXPECT_EQ(found.value[special], 0);
  if (!case_.preconditioned()) expect_others_unchanged(found, before);
}

TEST_P(CurvedLowerBoundTest, AtTheFloorASampleMovesNothing) {
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

std::vector<BoundCase> curved_cases() {
  std::vector<BoundCase> cases = bound_cases();
  std::erase_if(cases, [](const BoundCase& bound) { return bound.output == Output::linear; });
  return cases;
}
std::string bound_test_name(const testing::TestParamInfo<std::tuple<BoundCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(All, LowerBoundTest,
                         testing::Combine(testing::ValuesIn(bound_cases()), testing::ValuesIn(devices())),
                         bound_test_name);
INSTANTIATE_TEST_SUITE_P(All, CurvedLowerBoundTest,
                         testing::Combine(testing::ValuesIn(curved_cases()), testing::ValuesIn(devices())),
                         bound_test_name);

}  // namespace
}  // namespace ebm::test
