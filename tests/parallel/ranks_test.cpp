// SPDX-License-Identifier: MIT
// Any number of ranks draws the same batch, and learns the same of it as one rank.
#include <gtest/gtest.h>

#include "../kernels/kernels_fixture.h"
#include "parallel/rank_noise.h"
#include "support/networks.h"
#include "train/draws.h"
#include "train/learner.h"

namespace ebm::test {
namespace {

/// A rank whose partners were asked for their part beforehand: all_reduce gives the sum that it finds in `sum`.
class Rank final : public Communicator {
 public:
  Rank(Kernels& kernels, int64_t rank, int64_t size, const std::vector<float>& sum)
      : kernels_(kernels), rank_(rank), size_(size), sum_(sum) {}
  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  void all_reduce(View values, Type) override {
    ASSERT_EQ(values.size(), std::ssize(sum_));
    kernels_.upload(values.data, sum_.data(), values.bytes());
  }
  void all_gather(void*, int64_t) override { FAIL() << "nobody asks for it"; }
  void broadcast(void*, int64_t) override { FAIL() << "nobody asks for it"; }
  int64_t max(int64_t number) override { return number; }

 private:
  Kernels& kernels_;
  int64_t rank_, size_;
  const std::vector<float>& sum_;
};

class RankDrawsTest : public KernelsTest {
 protected:
  static constexpr int64_t steps = 3, columns = 7;

  /// What rank `rank` of `ranks` draws of a batch of 24 rows, step by step.
  std::vector<std::vector<float>> draw(int64_t rank, int64_t ranks, Distribution distribution) {
    const std::vector<float> none;
    const Rank own(*kernels_, rank, ranks, none);
    Draws draws(*kernels_, 5, iteration_.data(), nullptr, &own);
    const Draws::Shape shape{24 / ranks, flat(columns), steps};
    const Draw draw = distribution == Distribution::normal ? draws.normal("z", Stream::z, shape)
                                                           : draws.uniform("z", Stream::z, shape);
    draws.fill(draw);
    std::vector<std::vector<float>> of_steps;
    for (int64_t step = 0; step < steps; ++step) of_steps.push_back(download(*kernels_, draw.of_step(step)));
    return of_steps;
  }

  Buffer<uint64_t> iteration_{*kernels_, std::vector<uint64_t>{9}};
};

TEST_P(RankDrawsTest, AreTheBatchOfOneRank) {
  for (const Distribution distribution : {Distribution::normal, Distribution::uniform}) {
    const auto whole = draw(0, 1, distribution);
    for (const int64_t ranks : {2, 3, 6}) {
      std::vector<std::vector<float>> together(steps);
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const auto part = draw(rank, ranks, distribution);
        for (size_t step = 0; step < steps; ++step)
          together[step].insert(together[step].end(), part[step].begin(), part[step].end());
      }
      for (size_t step = 0; step < steps; ++step)
        EXPECT_TRUE(same_bits(together[step], whole[step])) << ranks << " ranks, step " << step;
    }
  }
}

TEST_P(RankDrawsTest, BeginAtAMultipleOfFour) {
  const std::vector<float> none;
  const Rank second(*kernels_, 1, 2, none), alone(*kernels_, 0, 1, none);
  for (const Communicator* ranks :
       {static_cast<const Communicator*>(&second), static_cast<const Communicator*>(&alone)}) {
    Draws draws(*kernels_, 5, iteration_.data(), nullptr, ranks);
    draws.normal("fits", Stream::z, {6, flat(2)});
    if (ranks == &alone) {
      draws.normal("alone", Stream::v0, {3, flat(2)});
    } else {
      EXPECT_THROW(draws.normal("shared", Stream::v0, {3, flat(2)}), Error);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, RankDrawsTest, testing::ValuesIn(devices()));

// --- learners

constexpr Features point{.height = 1, .width = 1, .channels = 5};

std::unique_ptr<Layer> energy_layers() {
  return layers_of(reference::table6_energy(point.channels, 9), point);
}

class RankLearnersTest : public KernelsTest {
 protected:
  /// A learner, and the gradient of its rows' part of the mean over the batch of what its network gives.
  struct Trained {
    Trained(Kernels& kernels, const OptimiserOptions& options, const std::vector<float>& x, int64_t batch)
        : learner(kernels, "energy", energy_layers, 1e-2, options),
          x(kernels, std::ssize(x) / point.size(), point),
          y(kernels, this->x.rows(), flat(1)),
          y_bar(kernels, this->x.rows(), flat(1)),
          trace(learner.network().make_trace({.batch = this->x.rows()})) {
      learner.initialize(3, 1, Initial::pytorch);
      this->x.upload(x);
      y_bar.upload(std::vector<float>(static_cast<size_t>(y.rows()), 1 / static_cast<float>(batch)));
    }
    void differentiate() {
      learner.network().forward(*trace, x, y);
      learner.network().vjp(*trace, y_bar, {}, Gradient::overwrite);
    }
    Learner learner;
    Tensor x, y, y_bar;
    std::unique_ptr<Trace> trace;
  };

  OptimiserOptions options(Communicator* ranks) const {
    OptimiserOptions options{};
    options.adam.epsilon = 1e-3;
    options.clip_gradient_norm = clip_;
    options.ema = 0.5;
    options.ranks = ranks;
    return options;
  }
  std::vector<float> values(const Trained& trained) {
    std::vector<float> all = download(*kernels_, trained.learner.network().parameters().values());
    const View average = trained.learner.average()->parameters().values();
    const std::vector<float> more = download(*kernels_, average);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<float> gradient(const Trained& trained) {
    return download(*kernels_, trained.learner.network().parameters().gradients());
  }
  IterationClock clock() { return {iteration_.data(), not_finite_.data()}; }

  double clip_ = 0;
  Buffer<uint64_t> iteration_{*kernels_, 1};
  Buffer<int32_t> not_finite_{*kernels_, 1};
};

TEST_P(RankLearnersTest, LearnOfTheirPartsWhatOneLearnsOfTheWhole) {
  const std::vector<float> x = normals(8 * point.size());
  const auto half = std::ssize(x) / 2;
  for (const double clip : {0.0, 0.05}) {
    clip_ = clip;
    std::vector<float> sum;
    Rank first_rank(*kernels_, 0, 2, sum), second_rank(*kernels_, 1, 2, sum);
    Trained whole(*kernels_, options(nullptr), x, 8);
    Trained first(*kernels_, options(&first_rank), {x.begin(), x.begin() + half}, 8),
        second(*kernels_, options(&second_rank), {x.begin() + half, x.end()}, 8);
    for (int iteration = 0; iteration < 3; ++iteration) {
      for (Trained* trained : {&whole, &first, &second}) trained->differentiate();
      sum = gradient(first);
      const std::vector<float> other = gradient(second);
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += other[i];
      for (Trained* trained : {&whole, &first, &second}) trained->learner.step(clock());
      EXPECT_TRUE(close(gradient(first), gradient(whole), {.factor = 4, .reason = "another order of sums"}));
    }
    EXPECT_TRUE(same_bits(values(first), values(second))) << "ranks stay together";
    EXPECT_TRUE(close(values(first), values(whole), {.factor = 64, .reason = "three steps of Adam"}));
  }
}

TEST_P(RankLearnersTest, ARankAloneLearnsAsWithoutOthers) {
  const std::vector<float> x = normals(8 * point.size());
  OneRank rank;
  Trained with(*kernels_, options(&rank), x, 8), without(*kernels_, options(nullptr), x, 8);
  for (Trained* trained : {&with, &without}) {
    trained->differentiate();
    trained->learner.step(clock());
  }
  EXPECT_TRUE(same_bits(values(with), values(without)));
}

INSTANTIATE_TEST_SUITE_P(Devices, RankLearnersTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
