// SPDX-License-Identifier: MIT
// Whole methods: two ranks, a thread each, that share every batch end where one rank ends.
#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <thread>

#include "methods/ebm_bb_options.h"
#include "models/stack.h"
#include "runs/data.h"
#include "support/devices.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

/// Where two threads meet with what they bring.
struct Meeting {
  std::barrier<> barrier{2};
  std::array<std::vector<float>, 2> brought;
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(Kernels& kernels, Meeting& meeting, int64_t rank)
      : kernels_(kernels), meeting_(meeting), rank_(rank) {}
  int64_t rank() const override { return rank_; }
  int64_t size() const override { return 2; }
  void all_reduce(View values) override {
    meeting_.brought.at(static_cast<size_t>(rank_)) = download(kernels_, values);
    meeting_.barrier.arrive_and_wait();
    std::vector<float> sum = meeting_.brought[0];
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += meeting_.brought[1].at(i);
    meeting_.barrier.arrive_and_wait();
    kernels_.upload(values.data, sum.data(), values.bytes());
  }

 private:
  Kernels& kernels_;
  Meeting& meeting_;
  int64_t rank_;
};

/// Networks without batch norm, whose statistics are a rank's own.
NetworkMakers networks() {
  const auto layers = [](int64_t out) {
    return [out]() -> std::unique_ptr<Layer> {
      Stack stack(flat(2));
      stack.linear(9).prelu().linear(9).prelu().linear(out);
      return stack.build();
    };
  };
  return {.energy = layers(1), .generator = layers(2)};
}

/// All parameters after some iterations, one learner's after the other's.
std::vector<float> trained(EbmBbOptions options, ToyDataset dataset, Meeting* meeting, int64_t rank) {
  const auto kernels = open_device("cpu");
  std::optional<ThreadRank> ranks;
  if (meeting != nullptr) {
    options.training.batch /= 2;
    options.training.optimiser.ranks = &ranks.emplace(*kernels, *meeting, rank);
  }
  const auto data = make_toy_data(*kernels, dataset, options.training);
  EbmBb method(*kernels, networks(), *data, options);
  method.initialize();
  for (int iteration = 0; iteration < 5; ++iteration) method.iterate();
  std::vector<float> all;
  for (Learner* learner : method.learners()) {
    const std::vector<float> values = download(*kernels, learner->network().parameters().values());
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Methods whose losses are means over the samples: no hinge.
TEST(RankMethodsTest, TwoRanksEndWhereOneEnds) {
  for (const Variant variant : {Variant::ebm_bb, Variant::ebm_0gp, Variant::wgan_0gp}) {
    SCOPED_TRACE(static_cast<int>(variant));
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, variant, Preset::paper);
    options.upper.hinge = 0;
    options.training.batch = 24;
    options.training.energy_steps = 2;
    options.training.optimiser.adam.epsilon = 1e-3;
    options.training.optimiser.clip_gradient_norm = 0.5;
    for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::two_moons}) {
      const std::vector<float> whole = trained(options, dataset, nullptr, 0);
      Meeting meeting;
      std::vector<float> first, second;
      std::thread other([&] { second = trained(options, dataset, &meeting, 1); });
      first = trained(options, dataset, &meeting, 0);
      other.join();
      EXPECT_EQ(first, second) << "ranks stay together";
      EXPECT_TRUE(close(first, whole, {.factor = 256, .reason = "roundings of fifteen steps of Adam"}));
    }
  }
}

}  // namespace
}  // namespace ebm::test
