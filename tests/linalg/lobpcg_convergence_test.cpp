// SPDX-License-Identifier: MIT
// How fast LOBPCG converges on known spectra, how far, and that it never turns back.
#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"

namespace ebm::test {
namespace {

using LobpcgConvergenceTest = LinalgTest;
using reference::spectrum, reference::norm, reference::combine, reference::multiply;

/// Medians over random starts of the relative error of s1 after 1, 2, 3, 5, 10, 20 iterations at d = 128,
/// from 4000 starts of an independent float64 implementation. Columns that are left out: `isolated` scatters
/// too much from start to start; of `clustertop` float32 knows less (see below).
struct Row {
  std::string name;
  double kappa;
  std::vector<double> errors;
};
const std::vector<int> iterations{1, 2, 3, 5, 10, 20};
const std::vector<Row> table{
    {"lin", 10, {2.80, 1.84, 1.32, 0.793, 0.332, 0.108}},
    {"geo", 10, {1.93, 1.27, 0.932, 0.581, 0.264, 0.0987}},
    {"geo", 100, {17.3, 11.9, 9.18, 6.28, 3.51, 1.84}},
    {"geo", 1000, {142, 97.5, 74.8, 51.1, 28.8, 15.6}},
    {"geo", 10000, {1210, 818, 622, 419, 233, 123}},
    {"clusterlow", 100, {17.6, 12.2, 9.38, 6.46, 3.64, 1.92}},
    {"isolated", 100, {60.2, 52.4, 35.7}},
    {"clustertop", 100, {0.528, 0.248}},
};
/// The eight equal largest values of `clustertop` are 1e-7 apart once J is in float32, and r amplifies that
/// by kappa^2: one more step goes into them. After K steps: at most the float64 error after K - 1.
const std::vector<double> clustertop_a_step_before{0.248, 0.248, 0.14, 0.0893,
                                                   0.0342};  // K = 2, 3, 5, 10, 20

double median_error(const Found& found, double kappa) {
  std::vector<double> errors;
  for (int64_t b = 0; b < found.batch(); ++b) errors.push_back(found.s1(b) * kappa - 1);
  std::sort(errors.begin(), errors.end());
  return errors[errors.size() / 2];
}

TEST_P(LobpcgConvergenceTest, MedianErrorsAreTheKnownOnes) {
  if (slow()) GTEST_SKIP() << "minutes of emulation; EverySpectrumAsTheOracle runs there";
  const int64_t B = 200, d = 128;
  for (const Row& row : table) {
    // Rotations of J and of v0 alike change nothing: one J will do.
    SharedOperator j(*kernels_, B, map_with(spectrum(row.name, d, row.kappa), d));
    const Columns v0 = columns(B, d);
    for (size_t i = 0; i < iterations.size(); ++i) {
      const double error = median_error(lobpcg(j, v0, {.iterations = iterations[i]}), row.kappa);
      if (i < row.errors.size()) {
        EXPECT_NEAR(error / row.errors[i], 1.0, 0.1)
            << row.name << " " << row.kappa << " K " << iterations[i];
      } else if (row.name == "clustertop") {
        EXPECT_LE(error, 1.1 * clustertop_a_step_before[i - 1]) << "K " << iterations[i];
        EXPECT_GT(error, 0) << "K " << iterations[i];
      }
    }
  }
}

TEST_P(LobpcgConvergenceTest, EverySpectrumAsTheOracle) {
  const int64_t B = 3, D = 31, d = 24;
  for (const Row& row : table) {
    std::vector<Map> j;
    for (int64_t b = 0; b < B; ++b) j.push_back(map_with(spectrum(row.name, d, row.kappa), D));
    const Columns v0 = columns(B, d);
    std::vector<reference::Iterates> expected;
    for (int64_t b = 0; b < B; ++b) expected.push_back(reference::lobpcg(j[b], v0[b], {.iterations = 10}));
    const bool of_clustertop = row.name == "clustertop";
    for (const int k : {1, 2, 5, 10}) {
      if (of_clustertop && k > 2) break;
      const Found found = lobpcg(j, v0, {.iterations = k});
      const double bound = of_clustertop ? 6e-8 * row.kappa * row.kappa : 1e-5 + 1e-7 * row.kappa;
      for (int64_t b = 0; b < B; ++b) {
        EXPECT_NEAR(found.s1(b) / std::sqrt(expected[b].theta[static_cast<size_t>(k)]), 1.0, bound)
            << row.name << " " << row.kappa << " K " << k << " sample " << b;
      }
    }
  }
}

TEST_P(LobpcgConvergenceTest, ConvergesToFloat32sAccuracyOnAnIsolatedValue) {
  for (const double kappa : {10.0, 1e2, 1e3, 1e4}) {
    for (const int64_t D : {int64_t{128}, int64_t{3072}}) {
      if (D > 128 && (slow() || kappa != 1e3)) continue;
      const int64_t B = slow() || D > 128 ? 1 : 4, d = slow() ? 16 : 128;
      const Map map = map_with(spectrum("isolated", d, kappa), D);
      SharedOperator j(*kernels_, B, map);
      const Found found = lobpcg(j, columns(B, d), {.iterations = 60});
      for (int64_t b = 0; b < B; ++b) {
        EXPECT_LE(std::abs(found.s1(b) * kappa - 1), 1e-6 + 1e-8 * kappa) << kappa << " D " << D;
        EXPECT_LE(norm(combine(1.0, found.jv_of(b), -1.0, multiply(map, found.v_of(b)))), 1e-6)
            << "J v is combined, never computed anew: " << kappa << " D " << D;
        EXPECT_LE(std::abs(norm(found.v_of(b)) - 1), 1e-6);
      }
    }
  }
}

TEST_P(LobpcgConvergenceTest, NeverRisesNorFallsBelowS1) {
  std::vector<int> schedule;  // pairs of neighbours, also long after convergence
  for (int k = 0; k <= 12; ++k) schedule.push_back(k);
  for (const int k : {20, 21, 49, 50, 100, 101, 299, 300}) schedule.push_back(k);
  if (slow()) schedule = {0, 1, 2, 3, 4, 5, 20, 21};
  const int64_t d = slow() ? 12 : 48, D = slow() ? 15 : 60;
  for (const auto& [name, kappa] : {std::pair{"isolated", 100.0}, {"geo", 1000.0}, {"clustertop", 10.0}}) {
    const std::vector<Map> j{map_with(spectrum(name, d, kappa), D), map_with(spectrum(name, d, kappa), D)};
    const Columns v0 = columns(2, d), p0 = columns(2, d);
    for (const Direction direction : {Direction::orthonormal, Direction::authors}) {
      Column before(2, 10.0);
      for (const int k : schedule) {
        const Found found = lobpcg(j, v0, {.iterations = k, .direction = direction}, p0);
        for (int64_t b = 0; b < 2; ++b) {
          EXPECT_LE(found.s1(b), before[b] * (1 + 1e-6)) << name << " K " << k;
          EXPECT_GE(found.s1(b) * kappa, 1 - 1e-6 - 1e-7 * kappa) << name << " K " << k;
          before[b] = found.s1(b);
        }
      }
    }
  }
}

TEST_P(LobpcgConvergenceTest, ThePreconditionerOfOtherSamplesHelps) {
  // Maps that share a badly conditioned factor, as the Jacobians of one generator do.
  const int64_t B = 4, d = 20, D = 30;
  const Map common = map_with(spectrum("geo", d, 100), d);
  std::vector<Map> j;
  for (int64_t b = 0; b < B; ++b)
    j.push_back(reference::rounded_to_float(multiply(map_with(spectrum("lin", d, 2), D), common)));
  const Columns v0 = columns(B, d);
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(common));
  const Found plain = lobpcg(j, v0, {.iterations = 4});
  const Found found = lobpcg(j, v0, {.iterations = 4, .preconditioner = &preconditioner});
  for (int64_t b = 0; b < B; ++b) {
    const double s1 = reference::smallest_singular(j[b]).s;
    EXPECT_LT(5 * (found.s1(b) / s1 - 1), plain.s1(b) / s1 - 1) << b;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, LobpcgConvergenceTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
