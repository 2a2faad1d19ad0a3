// SPDX-License-Identifier: MIT
// The patterns of src/kernels/formulas/formula.h, each through formulas whose results are easy to
// state.
#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

using PatternsTest = KernelsTest;

TEST_P(PatternsTest, MapReachesEveryElementOnce) {
  for (const int64_t rows : odd_sizes) {
    for (const int64_t columns : odd_sizes) {
      if (rows * columns > 300'000) continue;
      const std::vector<float> y = normals(rows * columns), bias = normals(columns);
      const Tensor device_y = tensor(rows, columns, y), device_bias = tensor(1, columns, bias);
      kernels_->run(
          AddBias{.rows = rows, .columns = columns, .bias = device_bias.data(), .y = device_y.data()});
      std::vector<float> expected = y;
      for (int64_t i = 0; i < rows * columns; ++i) {
        expected[static_cast<size_t>(i)] += bias[static_cast<size_t>(i % columns)];
      }
      EXPECT_TRUE(same_bits(device_y.download(), expected)) << rows << " x " << columns;
    }
  }
}

// Where the columns would allow 16 bytes at once, but an address does not.
TEST_P(PatternsTest, ArraysMayStartAnywhere) {
  const int64_t rows = 1000, columns = 24, size = rows * columns;
  const std::vector<float> x = normals(size), bias = normals(columns);
  std::vector<float> shifted_x = {0}, shifted_bias = {0};
  shifted_x.insert(shifted_x.end(), x.begin(), x.end());
  shifted_bias.insert(shifted_bias.end(), bias.begin(), bias.end());
  const Tensor at_start = tensor(1, size, x), shifted = tensor(1, size + 1, shifted_x),
               bias_at_start = tensor(1, columns, bias), bias_shifted = tensor(1, columns + 1, shifted_bias);
  const auto sums = [&](const float* from) {
    const Tensor out(*kernels_, 1, flat(columns));
    kernels_->run(
        ColumnSum{.rows = rows, .columns = columns, .x = from, .out = out.data(), .mode = Write::overwrite});
    return out.download();
  };
  EXPECT_TRUE(same_bits(sums(shifted.data() + 1), sums(at_start.data())))
      << "the order of a sum is of its size";

  const auto add = [&](const float* b, float* y) {
    kernels_->run(AddBias{.rows = rows, .columns = columns, .bias = b, .y = y});
  };
  add(bias_at_start.data(), at_start.data());
  add(bias_at_start.data(), shifted.data() + 1);
  std::vector<float> after = shifted.download();
  after.erase(after.begin());
  EXPECT_TRUE(same_bits(after, at_start.download()));
  add(bias_at_start.data(), at_start.data());
  add(bias_shifted.data() + 1, shifted.data() + 1);
  after = shifted.download();
  after.erase(after.begin());
  EXPECT_TRUE(same_bits(after, at_start.download()));
}

TEST_P(PatternsTest, MapKnowsItsRow) {
  const int64_t rows = 257, tangent_rows = 100, columns = 17;
  const std::vector<float> x = normals(rows * columns), x_dot = normals(tangent_rows * columns),
                           a = normals(rows), b = normals(tangent_rows);
  const Tensor device_x = tensor(rows, columns, x), device_x_dot = tensor(tangent_rows, columns, x_dot),
               device_a = tensor(rows, 1, a), device_b = tensor(tangent_rows, 1, b),
               out(*kernels_, rows, flat(columns));
  kernels_->run(MixTangents{.rows = rows,
                            .columns = columns,
                            .tangent_rows = tangent_rows,
                            .x = device_x.data(),
                            .x_dot = device_x_dot.data(),
                            .a = device_a.data(),
                            .b = device_b.data(),
                            .b_step = 1,
                            .out = out.data()});
  std::vector<double> expected;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t row = i / static_cast<size_t>(columns);
    const bool has_tangent = row < static_cast<size_t>(tangent_rows);
    expected.push_back(double{a[row]} * x[i] + (has_tangent ? double{b[row]} * x_dot[i] : 0.0));
  }
  EXPECT_TRUE(close(out.download(), expected));
}

TEST_P(PatternsTest, ColumnsSumAllRowsInFloat64) {
  for (const int64_t rows : {1, 3, 17, 257, 1000, 9001, 70'001}) {
    for (const int64_t columns : {1, 2, 3, 4, 17, 20, 33, 257, 1000}) {
      if (rows * columns > 400'000) continue;
      const std::vector<float> x = normals(rows * columns), weight = normals(rows), before = normals(columns);
      const Tensor device_x = tensor(rows, columns, x), device_weight = tensor(rows, 1, weight),
                   out = tensor(1, columns, before);
      const WeightedColumnSum sum{.rows = rows,
                                  .columns = columns,
                                  .x = device_x.data(),
                                  .row_weight = device_weight.data(),
                                  .out = out.data(),
                                  .mode = Write::overwrite};
      kernels_->run(sum);
      std::vector<double> expected(static_cast<size_t>(columns));
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t row = i / static_cast<size_t>(columns), column = i % static_cast<size_t>(columns);
        expected[column] += double{weight[row]} * x[i];
      }
      const std::vector<float> first = out.download();
      EXPECT_TRUE(close(first, expected)) << rows << " x " << columns;
      kernels_->run(sum);
      EXPECT_TRUE(same_bits(out.download(), first)) << "a second time, " << rows << " x " << columns;
      WeightedColumnSum accumulating = sum;
      accumulating.mode = Write::accumulate;
      kernels_->run(accumulating);
      for (double& e : expected) e *= 2;
      EXPECT_TRUE(close(out.download(), expected)) << "accumulated, " << rows << " x " << columns;
    }
  }
}

TEST_P(PatternsTest, ColumnsOfSeveralSumsMayWriteTheirElements) {
  const int64_t rows = 5003;
  for (const int64_t columns : {35, 36}) {
    const std::vector<float> x = normals(rows * columns), y_bar = normals(rows * columns),
                             mean = normals(columns), inv_std = normals(columns), weight = normals(columns);
    const Tensor device_x = tensor(rows, columns, x), device_y_bar = tensor(rows, columns, y_bar),
                 device_mean = tensor(1, columns, mean), device_inv_std = tensor(1, columns, inv_std),
                 device_weight = tensor(1, columns, weight), x_bar(*kernels_, rows, flat(columns)),
                 weight_bar(*kernels_, 1, flat(columns)), bias_bar(*kernels_, 1, flat(columns)),
                 sum_bar(*kernels_, 1, flat(columns)), sum_xh_bar(*kernels_, 1, flat(columns));
    kernels_->run(BatchNormBackward{.rows = rows,
                                    .columns = columns,
                                    .x = device_x.data(),
                                    .mean = device_mean.data(),
                                    .inv_std = device_inv_std.data(),
                                    .weight = device_weight.data(),
                                    .y_bar = device_y_bar.data(),
                                    .x_bar = x_bar.data(),
                                    .weight_bar = weight_bar.data(),
                                    .bias_bar = bias_bar.data(),
                                    .mode = Write::overwrite,
                                    .sum_bar = sum_bar.data(),
                                    .sum_xh_bar = sum_xh_bar.data(),
                                    .mask = {}});
    std::vector<double> x_bar_expected, weight_expected(static_cast<size_t>(columns)),
        bias_expected(static_cast<size_t>(columns));
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t c = i % static_cast<size_t>(columns);
      x_bar_expected.push_back(double{weight[c]} * inv_std[c] * y_bar[i]);
      weight_expected[c] += double{inv_std[c]} * (double{x[i]} - mean[c]) * y_bar[i];
      bias_expected[c] += y_bar[i];
    }
    EXPECT_TRUE(close(x_bar.download(), x_bar_expected));
    EXPECT_TRUE(close(weight_bar.download(), weight_expected));
    EXPECT_TRUE(close(bias_bar.download(), bias_expected));
    EXPECT_TRUE(same_bits(sum_xh_bar.download(), weight_bar.download()));
    EXPECT_TRUE(same_bits(sum_bar.download(), bias_bar.download()));
  }
}

TEST_P(PatternsTest, ATeamSumsALongRow) {
  for (const int64_t count : {1, 3, 31, 32, 33, 64, 65, 127, 257, 1000, 2048, 2049, 5000, 100'003}) {
    const std::vector<float> x = normals(count);
    const Tensor device_x = tensor(1, count, x), out = tensor(1, 1, {1000.0f});
    TotalSum sum{.count = count, .x = device_x.data(), .out = out.data(), .mode = Write::overwrite};
    kernels_->run(sum);
    double expected = 0, magnitude = 0;
    for (const float v : x) {
      expected += v;
      magnitude += std::abs(v);
    }
    EXPECT_NEAR(out.download()[0], expected, 1e-7 * magnitude) << count;
    sum.mode = Write::accumulate;
    kernels_->run(sum);
    EXPECT_NEAR(out.download()[0], 2 * expected, 2e-7 * magnitude) << count;
  }
}

/// GramMatrix with d = 1 is a dot product of each row with itself, by a team a row.
std::vector<double> row_squares(Kernels& kernels, const std::vector<float>& x, int64_t rows,
                                int64_t columns) {
  Tensor device_x(kernels, rows, flat(columns));
  device_x.upload(x);
  const Buffer<double> gram(kernels, rows);
  kernels.run(GramMatrix{
      .rows = rows, .d = 1, .range = columns, .columns_of_j = device_x.data(), .gram = gram.data()});
  return gram.download();
}

TEST_P(PatternsTest, TeamsDoEveryRowAndARowKnowsNothingOfItsBatch) {
  for (const int64_t rows : {3, 17, 257, 1000}) {
    for (const int64_t columns : {1, 2, 3, 17, 64, 65, 257, 2500}) {
      if (rows * columns > 300'000) continue;
      const std::vector<float> x = normals(rows * columns);
      const std::vector<double> squares = row_squares(*kernels_, x, rows, columns);
      std::vector<long double> sums(static_cast<size_t>(rows));
      for (size_t i = 0; i < x.size(); ++i) sums[i / static_cast<size_t>(columns)] += double{x[i]} * x[i];
      const std::vector<double> expected(sums.begin(), sums.end());
      EXPECT_TRUE(close(squares, expected, {.factor = 10, .reason = "sums of up to 2500 float64"}))
          << rows << " x " << columns;
      const int64_t some = rows / 2;
      const std::vector<float> start(x.begin(), x.begin() + some * columns);
      const std::vector<double> alone = row_squares(*kernels_, start, some, columns);
      for (size_t r = 0; r < alone.size(); ++r) {
        EXPECT_EQ(alone[r], squares[r]) << "row " << r << " of " << rows << " x " << columns;
      }
    }
  }
}

TEST_P(PatternsTest, NothingToDoIsNothing) {
  kernels_->run(AddBias{.rows = 0, .columns = 3, .bias = nullptr, .y = nullptr});
  kernels_->run(AddBias{.rows = 3, .columns = 0, .bias = nullptr, .y = nullptr});
  kernels_->run(ColumnSum{.rows = 3, .columns = 0, .x = nullptr, .out = nullptr, .mode = Write::overwrite});
  kernels_->synchronize();
}

INSTANTIATE_TEST_SUITE_P(Devices, PatternsTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
