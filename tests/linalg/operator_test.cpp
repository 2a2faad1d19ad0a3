// SPDX-License-Identifier: MIT
// DenseOperator's products, and what LinearOperator promises of any operator: refused shapes, counted passes.
#include "linalg/linalg_fixture.h"

namespace ebm::test {
namespace {

using OperatorTest = LinalgTest;
using reference::multiply, reference::transpose;

TEST_P(OperatorTest, DenseProductsAreTheOracles) {
  struct Sizes {
    int64_t B, D, d, k;
  };
  for (const auto [B, D, d, k] :
       {Sizes{1, 1, 1, 1}, {3, 7, 5, 2}, {2, 3, 17, 4}, {5, 33, 1, 3}, {2, 257, 31, 1}}) {
    const std::vector<Map> j = maps(B, D, d);
    DenseOperator op = dense(j, k);
    EXPECT_EQ(op.batch(), B);
    EXPECT_EQ(op.domain(), d);
    EXPECT_EQ(op.range(), D);
    const Columns v = columns(k * B, d), u = columns(B, D);
    const Tensor device_v = on_device(v), device_u = on_device(u), jv(*kernels_, k * B, flat(D)),
                 jtu(*kernels_, B, flat(d));
    op.apply(device_v, jv);
    op.apply_adjoint(device_u, jtu);
    for (int64_t row = 0; row < k * B; ++row)
      EXPECT_TRUE(close(part(jv.download(), row, k * B), multiply(j[row % B], v[row]))) << row;
    for (int64_t b = 0; b < B; ++b)
      EXPECT_TRUE(close(part(jtu.download(), b, B), multiply(transpose(j[b]), u[b]))) << b;
  }
}

TEST_P(OperatorTest, PassesAreCounted) {
  DenseOperator op = dense(maps(3, 5, 4), 4);
  const Tensor v(*kernels_, 12, flat(4)), jv(*kernels_, 12, flat(5));
  EXPECT_EQ(op.applications(), 0);
  op.apply(v, jv);  // four tangents a sample
  op.apply(v.row_range(0, 3), jv.row_range(0, 3));
  op.apply_adjoint(jv.row_range(0, 3), v.row_range(0, 3));
  EXPECT_EQ(op.applications(), 5);
  EXPECT_EQ(op.adjoint_applications(), 1);
  op.reset_counts();
  EXPECT_EQ(op.applications(), 0);
  EXPECT_EQ(op.adjoint_applications(), 0);
}

TEST_P(OperatorTest, WrongShapesAreRefusedAndNotCounted) {
  DenseOperator op = dense(maps(3, 5, 4), 2);
  const auto apply = [&](int64_t rows, int64_t columns, int64_t out_rows, int64_t out_columns) {
    const Tensor in(*kernels_, rows, flat(columns)), out(*kernels_, out_rows, flat(out_columns));
    return error_of([&] { op.apply(in, out); });
  };
  const auto adjoint = [&](int64_t rows, int64_t columns, int64_t out_rows, int64_t out_columns) {
    const Tensor in(*kernels_, rows, flat(columns)), out(*kernels_, out_rows, flat(out_columns));
    return error_of([&] { op.apply_adjoint(in, out); });
  };
  EXPECT_EQ(apply(3, 5, 3, 5),
            "apply of an operator R^4 -> R^5 on 3 samples got 3 rows of 1x1x5 -> 3 rows of 1x1x5 (at most 2 "
            "tangents a sample)");
  EXPECT_NE(apply(3, 4, 3, 4), "no Error") << "the image is in R^5";
  EXPECT_NE(apply(4, 4, 4, 5), "no Error") << "4 rows are no multiple of 3 samples";
  EXPECT_NE(apply(9, 4, 9, 5), "no Error") << "3 tangents";
  EXPECT_NE(apply(3, 4, 6, 5), "no Error") << "3 rows in, 6 out";
  EXPECT_NE(apply(0, 4, 0, 5), "no Error") << "nothing";
  EXPECT_EQ(adjoint(6, 5, 6, 4),
            "apply_adjoint of an operator R^4 -> R^5 on 3 samples got 6 rows of 1x1x5 -> 6 rows of 1x1x4 (at "
            "most 1 tangents a sample)");
  EXPECT_NE(adjoint(3, 4, 3, 4), "no Error");
  EXPECT_EQ(op.applications(), 0);
  EXPECT_EQ(op.adjoint_applications(), 0);
  EXPECT_EQ(apply(6, 4, 6, 5), "no Error");
  EXPECT_EQ(adjoint(3, 5, 3, 4), "no Error");
}

TEST_P(OperatorTest, WrongSizesOfADenseOperatorAreRefused) {
  const std::vector<float> values(24, 1.0f);
  const auto make = [&](int64_t B, int64_t D, int64_t d, int64_t tangents) {
    return error_of([&] { DenseOperator(*kernels_, B, D, d, values, tangents); });
  };
  EXPECT_EQ(make(2, 3, 4, 1), "no Error");
  EXPECT_NE(make(2, 3, 5, 1), "no Error");
  for (const std::string& refused : {make(0, 3, 4, 1), make(2, -3, -4, 1), make(2, 3, 4, 0)})
    EXPECT_NE(refused.find("give sizes of 1 or more"), std::string::npos) << refused;
}

INSTANTIATE_TEST_SUITE_P(Devices, OperatorTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
