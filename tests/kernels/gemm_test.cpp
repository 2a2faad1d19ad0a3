// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>

#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

struct Factors {
  float alpha, beta;
};

class GemmTest : public KernelsTest {
 protected:
  /// c = alpha op(a) op(b) + beta c is as near as float32 sums of `inner` products are.
  void expect_product(int64_t m, int64_t n, int64_t inner, Transpose ta, Transpose tb, Factors factors,
                      Precision precision = Precision::full, double relative = 2e-7) {
    ASSERT_LE(error_of_product(m, n, inner, ta, tb, factors, precision), relative)
        << m << " x " << inner << " by " << inner << " x " << n << (ta == Transpose::yes ? ", a^T" : "")
        << (tb == Transpose::yes ? ", b^T" : "");
  }

  /// The largest error, relative to the absolute values of the terms, summed, times the root of their number.
  double error_of_product(int64_t m, int64_t n, int64_t inner, Transpose ta, Transpose tb, Factors factors,
                          Precision precision) {
    const std::vector<float> a = normals(m * inner), b = normals(inner * n);
    // With beta 0 the old c is not to be read.
    const std::vector<float> c =
        factors.beta == 0
            ? std::vector<float>(static_cast<size_t>(m * n), std::numeric_limits<float>::quiet_NaN())
            : normals(m * n);
    const Tensor device_a = tensor(m, inner, a), device_b = tensor(inner, n, b), device_c = tensor(m, n, c);
    kernels_->gemm({.m = m,
                    .n = n,
                    .inner = inner,
                    .a = device_a.data(),
                    .transpose_a = ta,
                    .b = device_b.data(),
                    .transpose_b = tb,
                    .c = device_c.data(),
                    .alpha = factors.alpha,
                    .beta = factors.beta,
                    .precision = precision});
    const std::vector<float> result = device_c.download();
    const auto at = [](const std::vector<float>& x, Transpose t, int64_t rows, int64_t columns, int64_t r,
                       int64_t k) {
      return double{x[static_cast<size_t>(t == Transpose::no ? r * columns + k : k * rows + r)]};
    };
    double worst = 0;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < inner; ++k) {
          const double product = at(a, ta, m, inner, i, k) * at(b, tb, inner, n, k, j);
          sum += product;
          magnitude += std::abs(product);
        }
        const auto index = static_cast<size_t>(i * n + j);
        const double old = factors.beta == 0 ? 0 : double{factors.beta} * c[index];
        const double error = std::abs(result[index] - (factors.alpha * sum + old));
        const double unit =
            std::sqrt(static_cast<double>(inner) + 4) * (std::abs(factors.alpha) * magnitude + std::abs(old));
        worst = worse(worst, error, unit);
      }
    }
    return worst;
  }
};

TEST_P(GemmTest, AllTransposesAtOddSizes) {
  for (const int64_t m : {1, 3, 17, 130}) {
    for (const int64_t n : {1, 3, 17, 100}) {
      for (const int64_t inner : {1, 2, 17, 257}) {
        for (const Transpose ta : {Transpose::no, Transpose::yes}) {
          for (const Transpose tb : {Transpose::no, Transpose::yes})
            expect_product(m, n, inner, ta, tb, {1, 0});
        }
      }
    }
  }
}

/// Bias and activation come to the first rows alone, whatever computes the product (few or no whole vectors,
/// small, large; of b or of b^T).
TEST_P(GemmTest, BiasAndActivationFollowOnTheFirstRows) {
  constexpr float slope = 0.2f;
  for (const auto& [m, n, inner] : {std::array<int64_t, 3>{7, 1, 5},
                                    {33, 3, 17},
                                    {41, 101, 1},
                                    {30, 23, 2},
                                    {9, 33, 3},
                                    {130, 100, 65},
                                    {64, 700, 333},
                                    {9, 500, 100}}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      const std::vector<float> bias = normals(n);
      const Tensor a = tensor(m, inner, normals(m * inner)), b = tensor(inner, n, normals(inner * n)),
                   device_bias = tensor(1, n, bias), plain(*kernels_, m, flat(n)), out(*kernels_, m, flat(n));
      Gemm product{
          .m = m, .n = n, .inner = inner, .a = a.data(), .b = b.data(), .transpose_b = tb, .c = plain.data()};
      kernels_->gemm(product);
      product.c = out.data();
      const int64_t rows = 2 * m / 3;
      kernels_->affine(
          product, {.rows = rows, .columns = n, .bias = device_bias.data(), .y = out.data(), .slope = slope});
      const std::vector<float> sums = plain.download();
      std::vector<double> expected;
      for (int64_t i = 0; i < m * n; ++i) {
        const double sum = sums[static_cast<size_t>(i)], h = sum + bias[static_cast<size_t>(i % n)];
        expected.push_back(i / n >= rows ? sum : h > 0 ? h : slope * h);
      }
      EXPECT_TRUE(close(out.download(), expected)) << m << " x " << inner << " by " << inner << " x " << n;
    }
  }
}

TEST_P(GemmTest, AlphaAndBeta) {
  for (const Factors factors : {Factors{1, 1}, {0.5f, 0}, {-2, 0.25f}, {0, 1}}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) expect_product(33, 17, 65, ta, tb, factors);
    }
  }
}

TEST_P(GemmTest, LargeProducts) {
  expect_product(301, 257, 1000, Transpose::no, Transpose::yes, {1, 0});
  expect_product(301, 257, 1000, Transpose::no, Transpose::yes, {1, 1});
  expect_product(301, 257, 1000, Transpose::yes, Transpose::no, {1, 1});
}

TEST_P(GemmTest, TrainingPrecisionIsAtWorstTf32) {
  expect_product(65, 33, 100, Transpose::no, Transpose::yes, {1, 0}, Precision::training, 1e-3);
}

/// By three TF32 products: held as closely as float32's own, whose errors grow with the root of the sum's length while
/// these hardly grow. Sizes that a GPU's tiles take, and such as it leaves to its library.
class SplitTf32GemmTest : public GemmTest {};
TEST_P(SplitTf32GemmTest, IsAsExactAsFloat32) {
  for (const auto& [m, n, inner] :
       {std::array<int64_t, 3>{33, 20, 64}, {17, 68, 512}, {5, 7, 19}, {3, 4, 2048}}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        for (const Factors factors : {Factors{1, 0}, {0.5f, 1}})
          expect_product(m, n, inner, ta, tb, factors, Precision::tf32x3);
      }
    }
  }
}

/// Where TF32 is allowed the other tests find nothing of it, since they are of Precision::full; this one
/// finds it.
class Tf32GemmTest : public GemmTest {};
TEST_P(Tf32GemmTest, TrainingPrecisionRounds) {
  constexpr int64_t n = 256;  // large enough for a GPU to take its tensor cores
  for (const Transpose ta : {Transpose::no, Transpose::yes}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes})
      EXPECT_GT(error_of_product(n, n, n, ta, tb, {1, 0}, Precision::training), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, SplitTf32GemmTest, testing::ValuesIn(with_tf32x3(devices())));
// There may be no device with TF32: on a machine without CUDA's headers there is the CPU alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Tf32GemmTest);
INSTANTIATE_TEST_SUITE_P(Tf32, GemmTest, testing::ValuesIn(devices_with_tf32()));
INSTANTIATE_TEST_SUITE_P(Tf32, Tf32GemmTest, testing::ValuesIn(devices_with_tf32()));
INSTANTIATE_TEST_SUITE_P(Devices, GemmTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
