// SPDX-License-Identifier: MIT
// Sums over ranks, of numbers that travel whole or rounded to bfloat16.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/random.h"
#include "support/networks.h"
#include "support/tolerance.h"
#include "thread_ranks.h"
#include "train/learner.h"

namespace ebm::test {
namespace {

constexpr int64_t size = 3;
using Numbers = std::vector<float>;

Numbers normals(uint32_t seed, size_t count) {
  reference::Random random{seed};
  const std::vector<double> values = random.normals(static_cast<int64_t>(count));
  return {values.begin(), values.end()};
}

/// What each rank has after a sum of `own[rank]`.
std::vector<Numbers> reduced(const std::vector<Numbers>& own, Type travel) {
  std::vector<Numbers> all = own;
  run_ranks(std::ssize(own), [&](Communicator* ranks) {
    Numbers& mine = all.at(static_cast<size_t>(ranks->rank()));
    ranks->all_reduce({mine.data(), 1, flat(std::ssize(mine))}, travel);
  });
  return all;
}

/// (2 u + u^2) sum |x|, with what float32 rounds.
double bound(double magnitudes) {
  constexpr double u = 0x1p-8;
  return (2 * u + u * u + 0x1p-23) * magnitudes;
}

TEST(RankSumTest, ByHand) {
  // bfloat16 has the even numbers from 256 on, multiples of 4 from 512 on; halfway it takes the even one.
  const std::vector<Numbers> own{{257, 259, 257, -257, 0.1f}, {1, 257, 3, 257, -0.1f}};
  EXPECT_EQ(reduced(own, Type::float32)[1], (Numbers{258, 516, 260, 0, 0}));
  EXPECT_EQ(reduced(own, Type::bfloat16)[1], (Numbers{256, 516, 260, 0, 0}));
}

TEST(RankSumTest, OfRoundedNumbersIsWithinItsBound) {
  constexpr size_t count = 3001;
  std::vector<Numbers> own;
  for (uint64_t rank = 0; rank < size; ++rank) {
    own.push_back(normals(7 + rank, count));
    for (size_t i = 0; i < count; ++i) own.back()[i] *= std::exp2(static_cast<float>(i % 61) - 30);
  }
  const std::vector<Numbers> whole = reduced(own, Type::float32), rounded = reduced(own, Type::bfloat16);
  size_t off = 0;
  for (size_t i = 0; i < count; ++i) {
    double sum = 0, magnitudes = 0;
    for (const Numbers& of_rank : own) {
      sum += of_rank[i];
      magnitudes += std::abs(of_rank[i]);
    }
    EXPECT_EQ(whole[0][i], static_cast<float>(sum));
    EXPECT_LE(std::abs(rounded[0][i] - sum), bound(magnitudes)) << i;
    if (std::abs(rounded[0][i] - sum) > bound(magnitudes) / 16) ++off;
  }
  EXPECT_GT(off, count / 4) << "they were rounded";
  for (const Numbers& of_rank : rounded) EXPECT_EQ(of_rank, rounded[0]);
  EXPECT_EQ(reduced(own, Type::bfloat16), rounded) << "the same bits again";
}

TEST(RankSumTest, WhatIsNotFiniteStaysSo) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Numbers sum = reduced({{nan, inf, inf}, {1, 1, -inf}}, Type::bfloat16)[0];
  EXPECT_TRUE(std::isnan(sum[0]));
  EXPECT_EQ(sum[1], inf);
  EXPECT_TRUE(std::isnan(sum[2]));
}

// --- learners

/// What the ranks' gradients are before a step, and what the first one's is after it.
struct Stepped {
  std::vector<Numbers> own;
  Numbers gradient, values;
};

Stepped step(Type travel) {
  Stepped stepped{.own = std::vector<Numbers>(size), .gradient = {}, .values = {}};
  run_ranks(size, [&](Communicator* ranks) {
    const auto kernels = open_device("cpu");
    OptimiserOptions options;
    options.ranks = ranks;
    options.gradient_travel = travel;
    Learner learner(
        *kernels, "energy", [] { return layers_of(reference::table6_energy(2, 11), flat(2)); }, 1e-3,
        options);
    learner.initialize(3, 1, Initial::pytorch);
    const View gradients = learner.network().parameters().gradients();
    Numbers own = normals(20 + static_cast<uint64_t>(ranks->rank()), static_cast<size_t>(gradients.size()));
    kernels->upload(gradients.data, own.data(), gradients.bytes());
    Buffer<uint64_t> iteration(*kernels, 1);
    Buffer<int32_t> not_finite(*kernels, 1);
    learner.step({iteration.data(), not_finite.data()});
    stepped.own.at(static_cast<size_t>(ranks->rank())) = std::move(own);
    if (ranks->rank() > 0) return;
    stepped.gradient = download(*kernels, gradients);
    stepped.values = download(*kernels, learner.network().parameters().values());
  });
  return stepped;
}

TEST(RankSumTest, ALearnersGradientTravelsAsItsOptionsSay) {
  const Stepped whole = step(Type::float32), rounded = step(Type::bfloat16);
  size_t off = 0;
  for (size_t i = 0; i < whole.gradient.size(); ++i) {
    double magnitudes = 0;
    for (const Numbers& own : whole.own) magnitudes += std::abs(own[i]);
    const double error = std::abs(static_cast<double>(rounded.gradient[i]) - whole.gradient[i]);
    EXPECT_LE(error, bound(magnitudes)) << i;
    if (error > 0) ++off;
  }
  EXPECT_GT(off, whole.gradient.size() / 2) << "it was rounded";
  EXPECT_EQ(step(Type::bfloat16).values, rounded.values) << "the same bits again";
}

}  // namespace
}  // namespace ebm::test
