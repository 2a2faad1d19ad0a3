// SPDX-License-Identifier: MIT
// bfloat16: rounding, formulas on arrays of it, products of it.
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/formulas/rounding.h"
#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

float of_bits(uint32_t bits) {
  return std::bit_cast<float>(bits);
}

TEST(RoundingTest, ToTheNearestAndEvenInTies) {
  const auto rounding = [](uint32_t bits) { return rounded<bfloat16>(of_bits(bits)).bits; };
  EXPECT_EQ(rounding(0x3F800000), 0x3F80);  // 1
  EXPECT_EQ(rounding(0x3F807FFF), 0x3F80);
  EXPECT_EQ(rounding(0x3F808000), 0x3F80) << "a tie, down to even";
  EXPECT_EQ(rounding(0x3F808001), 0x3F81);
  EXPECT_EQ(rounding(0x3F818000), 0x3F82) << "a tie, up to even";
  EXPECT_EQ(rounding(0xBF818000), 0xBF82);
  EXPECT_EQ(rounding(0x80000000), 0x8000) << "-0";
  EXPECT_EQ(rounding(0x00000001), 0x0000) << "the smallest number";
  EXPECT_EQ(rounding(0x7F7FFFFF), 0x7F80) << "beyond the largest: infinity";
  EXPECT_EQ(rounding(0xFF800000), 0xFF80) << "-infinity";
  for (const uint32_t nan : {0x7FC00000u, 0x7F800001u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    EXPECT_TRUE(std::isnan(expanded(rounded<bfloat16>(of_bits(nan))))) << std::hex << nan;
  }
}

class Bfloat16KernelsTest : public KernelsTest {
 protected:
  /// x rounded, on the device.
  Tensor stored(int64_t rows, int64_t columns, const std::vector<float>& x) {
    const Tensor from = tensor(rows, columns, x);
    Tensor to(*kernels_, rows, flat(columns), Type::bfloat16);
    kernels_->run(ToActivations{.columns = from.size(), .x = from.data(), .y = to.view()});
    return to;
  }
  std::vector<float> loaded(const Tensor& x) {
    const Tensor to(*kernels_, x.rows(), x.features());
    kernels_->run(FromActivations{.columns = x.size(), .x = x.view(), .y = to.data()});
    return to.download();
  }
  static std::vector<float> rounded_all(std::vector<float> x) {
    for (float& v : x) v = expanded(rounded<bfloat16>(v));
    return x;
  }
};

TEST_P(Bfloat16KernelsTest, ThereAndBack) {
  for (const int64_t columns : odd_sizes) {
    std::vector<float> x = normals(3 * columns);
    x[0] = std::numeric_limits<float>::infinity();
    EXPECT_EQ(loaded(stored(3, columns, x)), rounded_all(x)) << columns;
  }
}

TEST_P(Bfloat16KernelsTest, FormulasRoundOnce) {
  for (const int64_t columns : {3, 16, 64}) {
    const int64_t rows = 37;
    const std::vector<float> x = normals(rows * columns), bias = normals(columns);
    const Tensor device_x = stored(rows, columns, x), device_bias = tensor(1, columns, bias),
                 sums(*kernels_, 1, flat(columns));
    kernels_->run(AddBias{
        .rows = rows, .columns = columns, .bias = device_bias.data(), .y = device_x.view(), .slope = 0.25f});
    std::vector<float> expected = rounded_all(x);
    std::vector<double> column_sums(static_cast<size_t>(columns));
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t column = i % static_cast<size_t>(columns);
      const float h = expected[i] + bias[column];
      expected[i] = expanded(rounded<bfloat16>(h > 0 ? h : 0.25f * h));
      column_sums[column] += expected[i];
    }
    EXPECT_EQ(loaded(device_x), expected) << columns;
    kernels_->run(ColumnSum{.rows = rows,
                            .columns = columns,
                            .x = device_x.view(),
                            .out = sums.data(),
                            .mode = Write::overwrite});
    EXPECT_TRUE(close(sums.download(), column_sums)) << columns;
  }
}

TEST_P(Bfloat16KernelsTest, ProductsSumInFloat32) {
  const int64_t m = 33, n = 17, inner = 257;
  const std::vector<float> a = rounded_all(normals(m * inner)), b = rounded_all(normals(n * inner)),
                           before = normals(m * n);
  const Tensor device_a = stored(m, inner, a), device_b = stored(n, inner, b), sums = tensor(m, n, before),
               rounded_sums(*kernels_, m, flat(n), Type::bfloat16);
  Gemm product{.m = m,
               .n = n,
               .inner = inner,
               .a = device_a.view(),
               .b = device_b.view(),
               .transpose_b = Transpose::yes,
               .c = sums.view(),
               .beta = 1,
               .precision = Precision::bfloat16};
  kernels_->gemm(product);
  product.c = rounded_sums.view();
  product.beta = 0;
  kernels_->gemm(product);

  std::vector<double> expected, added;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        sum += double{a[static_cast<size_t>(i * inner + k)]} * b[static_cast<size_t>(j * inner + k)];
      }
      expected.push_back(sum);
      added.push_back(sum + before[static_cast<size_t>(i * n + j)]);
    }
  }
  EXPECT_TRUE(close(sums.download(), added));
  EXPECT_TRUE(close(loaded(rounded_sums), expected,
                    {.factor = 1 << 13, .reason = "rounded once to 8 bits, 2^-9 of its size"}));
}

INSTANTIATE_TEST_SUITE_P(Devices, Bfloat16KernelsTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
