// SPDX-License-Identifier: MIT
// The data sets of the plane: their formulas (docs/method.md, "Noise") at the noise of their streams.
#include "data/toy.h"

#include <numbers>

#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

class ToyDataTest : public KernelsTest {
 protected:
  static constexpr uint64_t seed = 5, iteration = 3;
  static constexpr uint32_t stream = 1;

  std::vector<float> draw(ToyDataset dataset, int64_t batch) {
    ToyData data(*kernels_, dataset, batch, seed, stream);
    const Tensor x(*kernels_, batch, flat(2));
    data.draw(iteration_.data(), x);
    return x.download();
  }
  std::vector<float> noise(Distribution distribution, uint32_t of_stream, int64_t batch) {
    const Tensor n(*kernels_, batch, flat(2));
    kernels_->noise({distribution, seed, of_stream, iteration_.data()}, n);
    return n.download();
  }
  /// f(point, its normals, its uniforms) -> (x, y)
  template <class F>
  void expect(ToyDataset dataset, int64_t batch, const F& f) {
    const std::vector<float> n = noise(Distribution::normal, stream, batch),
                             u = noise(Distribution::uniform, stream + 1, batch);
    std::vector<double> expected;
    for (int64_t i = 0; i < batch; ++i) {
      const auto at = static_cast<size_t>(2 * i);
      const auto [x, y] = f(i, n[at], n[at + 1], u[at]);
      expected.insert(expected.end(), {x, y});
    }
    EXPECT_TRUE(close(draw(dataset, batch), expected)) << batch;
  }

  const Buffer<uint64_t> iteration_{*kernels_, std::vector<uint64_t>{iteration}};
};

using Point = std::pair<double, double>;
constexpr double pi = std::numbers::pi;

TEST_P(ToyDataTest, TheGaussiansTakeTurns) {
  for (const int64_t batch : {1, 25, 60, 200}) {
    expect(ToyDataset::gaussians25, batch, [](int64_t i, double n0, double n1, double) {
      const auto row = static_cast<double>(i % 25 / 5 - 2), column = static_cast<double>(i % 5 - 2);
      return Point((2 * row + 0.05 * n0) / 2.828, (2 * column + 0.05 * n1) / 2.828);
    });
  }
}

TEST_P(ToyDataTest, TheSwissRollIsSklearns) {
  expect(ToyDataset::swiss_roll, 77, [](int64_t, double n0, double n1, double u) {
    const double t = 1.5 * pi * (1 + 2 * u);
    return Point((t * std::cos(t) + n0) / 5, (t * std::sin(t) + n1) / 5);
  });
}

TEST_P(ToyDataTest, TheMoonsAreSklearns) {
  for (const int64_t batch : {1, 2, 9, 100}) {  // make_moons: n / 2 points of the outer one, the rest inner
    const int64_t outer = batch / 2, inner = batch - outer;
    expect(ToyDataset::two_moons, batch, [=](int64_t i, double n0, double n1, double) {
      const bool is_outer = i < outer;
      const int64_t of = is_outer ? outer : inner, at = is_outer ? i : i - outer;
      const double p = of > 1 ? pi * static_cast<double>(at) / static_cast<double>(of - 1) : 0;
      return is_outer ? Point(std::cos(p) + 0.1 * n0, std::sin(p) + 0.1 * n1)
                      : Point(1 - std::cos(p) + 0.1 * n0, 0.5 - std::sin(p) + 0.1 * n1);
    });
  }
}

/// Each step has the moons of its own batch, and any number of ranks draws the same.
TEST_P(ToyDataTest, StepsAndRanksShareABatch) {
  constexpr int64_t steps = 2, rows = 12;
  for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::swiss_roll, ToyDataset::two_moons}) {
    const auto drawn = [&](const RankRows& share) {
      ToyData data(*kernels_, dataset, share, steps, seed, stream);
      const Tensor x(*kernels_, share.rows * steps, flat(2));
      data.draw(iteration_.data(), x);
      return x.download();
    };
    const std::vector<float> whole = drawn({.rows = rows});
    for (const int64_t ranks : {2, 3}) {
      std::vector<float> together(whole.size());
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const RankRows share{.rows = rows / ranks, .ranks = ranks, .rank = rank};
        const std::vector<float> part = drawn(share);
        for (int64_t row = 0; row < share.rows * steps; ++row) {
          for (const int64_t axis : {0, 1}) {
            together.at(static_cast<size_t>(2 * share.in_batch(row) + axis)) =
                part[static_cast<size_t>(2 * row + axis)];
          }
        }
      }
      EXPECT_TRUE(same_bits(together, whole)) << ranks << " ranks";
    }
    if (dataset != ToyDataset::two_moons) continue;
    // sklearn's outer moon ends at (-1, 0), its inner one begins at (0, 1/2): the first half of each step.
    for (int64_t step = 0; step < steps; ++step) {
      const auto begin = static_cast<size_t>(2 * rows * step);
      EXPECT_NEAR(whole[begin + rows - 2], -1, 0.5) << "the last of the outer moon, step " << step;
      EXPECT_NEAR(whole[begin + rows], 0, 0.5) << "the first of the inner moon, step " << step;
    }
  }
}

TEST_P(ToyDataTest, ProposalsAndTheirDensity) {
  constexpr int64_t rows = 19;
  for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::swiss_roll, ToyDataset::two_moons}) {
    const ToyDensity density{dataset}, widened{dataset, 4};
    const std::vector<float> data = draw(dataset, rows), normals = this->normals(2 * rows),
                             uniforms = reference::to_float(random_.uniforms(2 * rows));
    const Tensor x = tensor(rows, 2, data), n = tensor(rows, 2, normals), u = tensor(rows, 2, uniforms);
    const Tensor points(*kernels_, 2 * rows, flat(2));
    const Buffer<double> log_q(*kernels_, 2 * rows);
    kernels_->run(ToyProposal{.rows = rows,
                              .widened = widened,
                              .data = x.data(),
                              .normals = n.data(),
                              .uniforms = u.data(),
                              .near_data = points.data(),
                              .in_square = points.row_range(rows, rows).data});
    kernels_->run(ToyProposalDensity{
        .rows = 2 * rows, .density = density, .widened = widened, .x = points.data(), .log_q = log_q.data()});
    const std::vector<float> found = points.download();
    const std::vector<double> log_density = log_q.download();
    const double more = density.deviation() * std::sqrt(15.0);  // variances add up to 16 times the data's
    for (size_t i = 0; i < 2 * rows; ++i) {
      EXPECT_NEAR(found[i], data[i] + more * normals[i], 1e-6);
      EXPECT_NEAR(found[2 * rows + i], 8 * uniforms[i] - 4, 1e-6);
    }
    for (size_t i = 0; i < 2 * rows; ++i) {
      const double a = found[2 * i], b = found[2 * i + 1];
      double p = 0, wide = 0;
      for (int64_t node = 0; node < density.nodes(); ++node) {
        p += density.part(node, a, b);
        wide += widened.part(node, a, b);
      }
      const bool inside = std::abs(a) <= 4 && std::abs(b) <= 4;
      EXPECT_NEAR(log_density[i], std::log((p + wide + (inside ? 1.0 / 64 : 0)) / 3), 1e-9);
    }
  }
}

/// Each integrates to 1: the sum over a grid that is fine beside the noise.
TEST(ToyDensityIntegralTest, IsOne) {
  for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::swiss_roll, ToyDataset::two_moons}) {
    const ToyDensity density{dataset, dataset == ToyDataset::gaussians25 ? 8.0 : 1.0};
    constexpr int n = 130;
    double sum = 0;
    for (int i = 0; i < n * n; ++i)
      for (int64_t node = 0; node < density.nodes(); ++node)
        sum +=
            density.part(node, (i % n + 0.5) * 10.0 / n - 5, (i / n + 0.5) * 10.0 / n - 5) * 100.0 / (n * n);
    EXPECT_NEAR(sum, 1, 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ToyDataTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
