// SPDX-License-Identifier: MIT
// A formula evaluated for neighbours at once (pack.h), as a GPU does, against the same formula for each
// of them (element.h), as the CPU does. What layers use is compared with the oracle on every device instead.
#include "kernels/formulas/pack.h"

#include <gtest/gtest.h>

#include <array>

#include "kernels/formulas.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr int64_t rows = 6, columns = 8, inner = 5, batch = 2;

class PackTest : public testing::Test {
 protected:
  struct alignas(64) Array {
    std::array<float, 128> of;
  };
  Array normals() {
    Array array{};
    const std::vector<double> values = random_.normals(std::ssize(array.of));
    std::copy(values.begin(), values.end(), array.of.begin());
    return array;
  }

  template <class Formula>
  void expect_same(const Formula& f) {
    ASSERT_TRUE(f.aligned());
    for (int64_t row = 0; row < f.rows; ++row) {
      for (int64_t column = 0; column < f.columns; column += 4) {
        const Pack<float, 4> four = f(Neighbours<float>{row, column, f.columns});
        std::vector<double> each;
        for (int64_t k = 0; k < 4; ++k) each.push_back(f(Element{row, column + k, f.columns}));
        EXPECT_TRUE(close(std::span<const float>(four.of), each)) << "row " << row << ", column " << column;
      }
    }
  }

  reference::Random random_{20240611};
  Array x_ = normals(), y_ = normals(), out_ = normals();
};

TEST_F(PackTest, RowsWithAFactor) {
  const std::array<double, rows> scale{1.5, -2, 0.25, 3, -0.5, 7}, squared{1, 2, NAN, 4, 5, 6};
  const std::array<float, rows> share{0.5f, 0, 1, 0.25f, 0.75f, 0.125f}, good{1, 0, 1, 1, 0, 1};
  expect_same(ScaleRows{.rows = rows,
                        .columns = columns,
                        .in = x_.of.data(),
                        .scale = scale.data(),
                        .squared = squared.data(),
                        .out = out_.of.data()});
  expect_same(ZeroBadRows{.rows = rows, .columns = columns, .good = good.data(), .x = x_.of.data()});
  expect_same(ScaleBy{.columns = columns, .factor = share.data(), .x = x_.of.data()});
  expect_same(Interpolate{.rows = rows,
                          .columns = columns,
                          .alpha = share.data(),
                          .x = x_.of.data(),
                          .y = y_.of.data(),
                          .out = out_.of.data()});
}

TEST_F(PackTest, SumsInFloat64) {
  expect_same(RowTimesMatrix{.rows = rows,
                             .columns = columns,
                             .inner = inner,
                             .batch = batch,
                             .in = x_.of.data(),
                             .matrix = y_.of.data(),
                             .out = out_.of.data()});
  const int64_t d = rows / batch;
  const std::vector<double> inverse = random_.normals(batch * d * d);
  const std::array<int32_t, batch> status{0, bad_sample};
  expect_same(GramCotangents{.rows = rows,
                             .columns = columns,
                             .d = d,
                             .columns_of_j = x_.of.data(),
                             .inverse = inverse.data(),
                             .status = status.data(),
                             .out = out_.of.data()});
}

TEST_F(PackTest, NothingButWholeSixteens) {
  EXPECT_TRUE(on_16_bytes(x_.of.data(), static_cast<const float*>(nullptr)));
  EXPECT_FALSE(on_16_bytes(x_.of.data(), x_.of.data() + 1));
  EXPECT_FALSE(on_16_bytes(x_.of.data() + 2));
}

}  // namespace
}  // namespace ebm::test
