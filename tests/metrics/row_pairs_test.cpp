// SPDX-License-Identifier: MIT
#include "metrics/row_pairs.h"

#include <gtest/gtest.h>

#include <vector>

#include "metrics/metrics_fixture.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

struct Case {
  int64_t n, m, depth;
};
// Below, at and above the tile of 6 x 8 and the strip of 256.
const std::vector<Case> cases{{1, 1, 1}, {6, 8, 256}, {7, 9, 257}, {13, 5, 31}, {5, 33, 600}, {24, 1, 3}};

template <class A, class B>
std::vector<double> expected(const std::vector<A>& a, const std::vector<B>& b, const Case& c) {
  std::vector<double> all;
  for (int64_t i = 0; i < c.n; ++i) {
    for (int64_t j = 0; j < c.m; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < c.depth; ++k) {
        const double x = a[static_cast<size_t>(i * c.depth + k)], y = b[static_cast<size_t>(j * c.depth + k)];
        sum += x * y;
      }
      all.push_back(sum);
    }
  }
  return all;
}

TEST(RowPairsTest, ProductsAreTheSums) {
  reference::Random random{5};
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.n << " x " << c.m << " of " << c.depth);
    const std::vector<double> a = random.normals(c.n * c.depth), b = random.normals(c.m * c.depth);
    const std::vector<float> af = reference::to_float(a), bf = reference::to_float(b);
    std::vector<double> out(static_cast<size_t>(c.n * c.m), 7.0);
    row_products<double, double>(a, b, c.depth, out);
    EXPECT_TRUE(close(out, expected(a, b, c)));
    row_products<float, float>(af, bf, c.depth, out);
    EXPECT_TRUE(close(out, expected(af, bf, c)));
  }
}

TEST(RowPairsTest, TheSymmetricOneIsTheWholeOneBitForBit) {
  reference::Random random{6};
  for (const Case& c : cases) {
    const std::vector<double> a = random.normals(c.m * c.depth);
    std::vector<double> whole(static_cast<size_t>(c.m * c.m)), symmetric(whole.size(), 7.0);
    row_products<double, double>(a, a, c.depth, whole);
    symmetric_row_products(std::span<const double>(a), c.depth, symmetric);
    EXPECT_EQ(symmetric, whole) << c.m << " of " << c.depth;
  }
}

TEST(RowPairsTest, SizesThatDoNotFit) {
  const std::vector<double> a(6), b(4);
  std::vector<double> out(6);
  expect_refusal([&] { row_products<double, double>(a, b, 4, out); }, "6 and 4 numbers in rows of 4");
  expect_refusal([&] { row_products<double, double>(a, b, 2, std::span(out).first(5)); },
                 "do not make 5 pairs");
  expect_refusal([&] { row_products<double, double>(a, b, 0, out); }, "rows of 0");
}

}  // namespace
}  // namespace ebm::test
