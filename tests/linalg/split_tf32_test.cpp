// SPDX-License-Identifier: MIT
// J by three TF32 products (Precision::tf32x3) on known spectra: log s1 of LOBPCG, both ends of the quadrature, and the
// vectors that their gradients are made of are as near the oracle as in float32; in plain TF32 they are not.
#include "linalg/lanczos.h"
#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"
#include "reference/quadrature.h"

namespace ebm::test {
namespace {

/// One map for every sample, its products asked for in some precision.
class ProductOperator : public LinearOperator {
 public:
  ProductOperator(Kernels& kernels, int64_t B, const Map& map, Precision precision)
      : kernels_(kernels),
        batch_(B),
        range_(map.rows),
        d_(map.cols),
        map_(kernels, reference::to_float(map.values)),
        precision_(precision) {}

  int64_t batch() const override { return batch_; }
  int64_t domain() const override { return d_; }
  int64_t range() const override { return range_; }
  int64_t max_tangents() const override { return 1; }

 protected:
  void do_apply(ConstView v, View jv) override { multiply(v, d_, Transpose::yes, jv, range_); }
  void do_apply_adjoint(ConstView u, View jtu) override { multiply(u, range_, Transpose::no, jtu, d_); }

 private:
  void multiply(ConstView in, int64_t inner, Transpose transpose, View out, int64_t n) {
    kernels_.gemm({.m = in.rows,
                   .n = n,
                   .inner = inner,
                   .a = in.data,
                   .b = map_.data(),
                   .transpose_b = transpose,
                   .c = out.data,
                   .precision = precision_});
  }

  Kernels& kernels_;
  int64_t batch_, range_, d_;
  Buffer<float> map_;
  Precision precision_;
};

struct Spectrum {
  const char* name;
  double kappa;
};
constexpr Spectrum spectra[] = {{"lin", 10},         {"geo", 10},       {"geo", 100},
                                {"clusterlow", 100}, {"isolated", 100}, {"geo", 1000}};
constexpr int64_t B = 3, D = 32, d = 24;  // multiples of 4, which a GPU's tiles need

class SplitTf32Test : public LinalgTest {
 protected:
  /// Of log s1 after ten steps of LOBPCG, the worst sample's error; and of the angle of v in the same way.
  struct Errors {
    double log_s1 = 0, v = 0;
  };
  Errors lobpcg_errors(const Map& j, const Columns& v0, Precision precision) {
    ProductOperator on_device(*kernels_, B, j, precision);
    const Found found = lobpcg(on_device, v0, {.iterations = 10});
    Errors errors;
    for (int64_t b = 0; b < B; ++b) {
      const reference::Iterates expected =
          reference::lobpcg(j, v0[static_cast<size_t>(b)], {.iterations = 10});
      errors.log_s1 =
          worse(errors.log_s1, std::abs(std::log(found.s1(b) / std::sqrt(expected.theta[10]))), 1);
      const Column v = turned(found.v_of(b), expected.v);
      errors.v = worse(errors.v, reference::norm(reference::combine(1.0, v, -1.0, expected.v)), 1);
    }
    return errors;
  }

  /// Of the quadrature's two values per dimension after four pairs, and of the gradient's vectors.
  struct SlqErrors {
    double value = 0, u = 0;
  };
  SlqErrors slq_errors(const Map& j, const Columns& g, Precision precision) {
    ProductOperator on_device(*kernels_, B, j, precision);
    Lanczos solver(*kernels_, B, d, D, {.pairs = 4});
    const Tensor probes = this->on_device(g);
    solver.run(on_device, probes);
    const LogDetEstimate found = solver.result();
    const auto gauss = on_host(found.gauss), radau = on_host(found.radau);
    const auto u = on_host(found.u);
    SlqErrors errors;
    for (int64_t b = 0; b < B; ++b) {
      const auto at = static_cast<size_t>(b);
      const reference::Slq expected = reference::slq(j, g[at], 4, 0.1);
      errors.value = worse(errors.value, std::abs(gauss[at] - expected.gauss), d);
      errors.value = worse(errors.value, std::abs(radau[at] - expected.radau), d);
      const Column own = part_of(u, b, B);
      errors.u = worse(errors.u, reference::norm(reference::combine(1.0, own, -1.0, expected.u)),
                       reference::norm(expected.u));
    }
    return errors;
  }
  Map map_of(const Spectrum& s) { return map_with(reference::spectrum(s.name, d, s.kappa), D); }
  /// What float32 may do to log s1, as LobpcgConvergenceTest.EverySpectrumAsTheOracle has it.
  static double float32(const Spectrum& s) { return 1e-5 + 1e-7 * s.kappa; }
  /// Likewise to the quadrature, for each dimension. In sums as short as these 3xTF32 has up to three times float32's
  /// error.
  static constexpr double of_quadrature = 8e-6;
  /// And to the gradient's vectors, for each part of their length: float32 leaves up to 2e-6, 3xTF32 9e-6, TF32 more than ten times this.
  static constexpr double of_gradient = 1.6e-5;
};

TEST_P(SplitTf32Test, LogS1IsAsNearAsInFloat32) {
  for (const Spectrum& s : spectra) {
    SCOPED_TRACE(std::string(s.name) + " " + std::to_string(s.kappa));
    const Map j = map_of(s);
    const Columns v0 = columns(B, d);
    const Errors full = lobpcg_errors(j, v0, Precision::full),
                 split = lobpcg_errors(j, v0, Precision::tf32x3);
    EXPECT_LE(full.log_s1, float32(s));
    EXPECT_LE(split.log_s1, float32(s));
    EXPECT_LE(split.v, 4 * std::max(full.v, 1e-5)) << "of float32: " << full.v;
  }
}

TEST_P(SplitTf32Test, TheQuadratureIsAsNearAsInFloat32) {
  for (const Spectrum& s : spectra) {
    SCOPED_TRACE(std::string(s.name) + " " + std::to_string(s.kappa));
    const Map j = map_of(s);
    const Columns g = columns(B, d);
    const SlqErrors full = slq_errors(j, g, Precision::full), split = slq_errors(j, g, Precision::tf32x3);
    EXPECT_LE(full.value, of_quadrature);
    EXPECT_LE(split.value, of_quadrature);
    EXPECT_LE(full.u, of_gradient);
    EXPECT_LE(split.u, of_gradient);
  }
}

/// The same, where TF32 is allowed, in TF32: the tests above can fail.
class PlainTf32Test : public SplitTf32Test {};
TEST_P(PlainTf32Test, IsNotAsNear) {
  for (const Spectrum& s : spectra) {
    SCOPED_TRACE(std::string(s.name) + " " + std::to_string(s.kappa));
    const Map j = map_of(s);
    const Columns start = columns(B, d);
    const SlqErrors plain = slq_errors(j, start, Precision::training);
    EXPECT_GT(plain.value, 5 * of_quadrature);
    EXPECT_GT(plain.u, 10 * of_gradient);
    EXPECT_LE(slq_errors(j, start, Precision::tf32x3).value, of_quadrature);
    if (s.kappa < 100) continue;
    EXPECT_GT(lobpcg_errors(j, start, Precision::training).log_s1, 10 * float32(s));
    EXPECT_LE(lobpcg_errors(j, start, Precision::tf32x3).log_s1, float32(s));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, SplitTf32Test, testing::ValuesIn(with_tf32x3(devices())));
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PlainTf32Test);
INSTANTIATE_TEST_SUITE_P(Tf32, PlainTf32Test, testing::ValuesIn(with_tf32x3(devices_with_tf32())));

}  // namespace
}  // namespace ebm::test
