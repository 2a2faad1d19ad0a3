// SPDX-License-Identifier: MIT
// Batch norm whose batch is shared: all four maps of each rank's rows are those of the whole batch.
#include <gtest/gtest.h>

#include "layers/batch_norm.h"
#include "layers/network.h"
#include "reference/random.h"
#include "support/tolerance.h"
#include "thread_ranks.h"

namespace ebm::test {
namespace {

constexpr Features image{.height = 1, .width = 3, .channels = 5};
constexpr int64_t batch = 12, tangents = 2;

std::vector<float> numbers(uint32_t seed, int64_t count) {
  reference::Random random{seed};
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(3 * random.uniform() - 1);
  return values;
}

/// What the maps give: arrays of `rows` samples, and what all ranks share.
struct Given {
  std::vector<float> y, y_dot, x_bar, x_bar_of_pair, x_dot_bar;
  std::vector<float> gradient, gradient_of_pair, statistics;
};

/// Rows of a rank, of k blocks of the batch, one behind the other.
std::vector<float> part(const std::vector<float>& whole, int64_t blocks, const RankRows& own) {
  std::vector<float> rows;
  for (int64_t row = 0; row < blocks * own.rows; ++row) {
    const auto at = whole.begin() + own.in_batch(row) * image.size();
    rows.insert(rows.end(), at, at + image.size());
  }
  return rows;
}

Given maps(Communicator* ranks) {
  const auto kernels = open_device("cpu");
  const RankRows own = rank_rows(ranks, batch / count_of(ranks));
  Network network(*kernels, std::make_unique<BatchNorm>(image, 1e-2f, 0.1f, Activation{.slope = 0.2f}));
  network.initialize(1, 1);
  kernels->upload(network.parameters().values().data, numbers(9, 2 * image.channels).data(),
                  2 * image.channels * static_cast<int64_t>(sizeof(float)));
  network.share_statistics(ranks);
  const auto trace = network.make_trace({.batch = own.rows, .tangents = tangents});
  const auto tensor = [&](uint64_t seed, int64_t blocks) {
    Tensor values(*kernels, blocks * own.rows, image);
    values.upload(part(numbers(seed, blocks * batch * image.size()), blocks, own));
    return values;
  };
  const Tensor x = tensor(1, 1), x_dot = tensor(2, tangents), y_bar = tensor(3, 1),
               y_dot_bar = tensor(4, tangents);
  const Tensor y = tensor(5, 1), y_dot = tensor(5, tangents), x_bar = tensor(5, 1),
               x_dot_bar = tensor(5, tangents);
  Given given;
  const auto gradient = [&] { return download(*kernels, network.parameters().gradients()); };
  network.forward(*trace, x, y);
  network.jvp(*trace, x_dot, y_dot);
  network.vjp(*trace, y_bar, x_bar, Gradient::overwrite);
  given.gradient = gradient();
  given.x_bar = x_bar.download();
  network.vjp_of_jvp(*trace, {y_bar, y_dot_bar}, {x_bar, x_dot_bar}, Gradient::overwrite);
  given.gradient_of_pair = gradient();
  given.x_bar_of_pair = x_bar.download();
  given.x_dot_bar = x_dot_bar.download();
  network.vjp(*trace, y_bar, x_bar, Gradient::ignore);
  EXPECT_TRUE(close(x_bar.download(), given.x_bar)) << "without the parameters' gradients";
  given.y = y.download();
  given.y_dot = y_dot.download();
  given.statistics = download(*kernels, network.parameters().statistics_values());
  return given;
}

TEST(SyncBatchNormTest, MapsAreThoseOfTheWholeBatch) {
  const Given whole = maps(nullptr);
  for (const int64_t size : {2, 3}) {
    SCOPED_TRACE(size);
    std::vector<Given> all(static_cast<size_t>(size));
    run_ranks(size, [&](Communicator* ranks) { all.at(static_cast<size_t>(ranks->rank())) = maps(ranks); });
    const Tolerance tolerance{.factor = 8, .reason = "sums of ranks are rounded before they meet"};
    std::vector<float> gradient(whole.gradient.size()), of_pair(whole.gradient.size());
    for (int64_t rank = 0; rank < size; ++rank) {
      const RankRows own{.rows = batch / size, .ranks = size, .rank = rank};
      const Given& given = all.at(static_cast<size_t>(rank));
      EXPECT_TRUE(close(given.y, part(whole.y, 1, own), tolerance));
      EXPECT_TRUE(close(given.y_dot, part(whole.y_dot, tangents, own), tolerance));
      EXPECT_TRUE(close(given.x_bar, part(whole.x_bar, 1, own), tolerance));
      EXPECT_TRUE(close(given.x_bar_of_pair, part(whole.x_bar_of_pair, 1, own), tolerance));
      EXPECT_TRUE(close(given.x_dot_bar, part(whole.x_dot_bar, tangents, own), tolerance));
      EXPECT_TRUE(close(given.statistics, whole.statistics, tolerance));
      EXPECT_EQ(given.statistics, all.front().statistics);
      for (size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] += given.gradient[i];
        of_pair[i] += given.gradient_of_pair[i];
      }
    }
    EXPECT_TRUE(close(gradient, whole.gradient, tolerance)) << "each rank has its part of the sum";
    EXPECT_TRUE(close(of_pair, whole.gradient_of_pair, tolerance));
  }
}

}  // namespace
}  // namespace ebm::test
