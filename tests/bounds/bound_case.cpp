// SPDX-License-Identifier: MIT
#include "bounds/bound_case.h"

#include "support/oracle_options.h"

namespace ebm::test {

namespace {

using reference::EbmBbConfig;
using reference::EntropySample;

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
    if (bound.options.kind == EntropyBoundKind::slq) {
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
  EbmBbConfig config;
  set_lower_bound(config, bound.options);
  return entropy_sample(config, g, z, v0, p0);
}

}  // namespace

std::vector<BoundCase> bound_cases() {
  using enum EntropyBoundKind;
  std::vector<BoundCase> cases;
  for (const auto& [suffix, output] : {std::pair{"", Output::linear}, std::pair{"Tanh", Output::tanh}}) {
    const auto add = [&](const std::string& name, int64_t d, const EntropyBoundOptions& options) {
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

std::vector<double> ExpectedBound::values() const {
  std::vector<double> all;
  for (const EntropySample& sample : samples) all.push_back(sample.value);
  return all;
}

std::vector<double> ExpectedBound::parameter_gradient(int64_t without) const {
  std::vector<double> sum(generator.parameters.size(), 0.0);
  for (int64_t b = 0; b < std::ssize(gradients); ++b)
    if (b != without) sum = reference::combine(1.0, sum, 1.0, gradients[static_cast<size_t>(b)].w_bar);
  return sum;
}

std::vector<double> ExpectedBound::z_gradient() const {
  std::vector<double> all;
  for (const auto& g : gradients) all.insert(all.end(), g.z_bar.begin(), g.z_bar.end());
  return all;
}

ExpectedBound expected_bound(const BoundCase& bound, const reference::Network& generator) {
  reference::Random random(17);
  constexpr int64_t batch = BoundCase::batch;
  const int64_t d = bound.d, D = bound.range();
  ExpectedBound x{.generator = generator,
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
    const bool exact = bound.options.kind == EntropyBoundKind::logdet;
    x.log_s1.push_back(exact ? std::log(smallest_singular(jacobian(g, z, g.parameters)).s) : sample.log_s1);
    x.jv0.set_row(b, jacobian_times(g, z, g.parameters, x.v0.row(b)));
  }
  return x;
}

ExpectedBound expected_bound(const BoundCase& bound) {
  return expected_bound(bound, generator_oracle(bound.d, BoundCase::hidden, bound.range(), bound.output));
}

}  // namespace ebm::test
