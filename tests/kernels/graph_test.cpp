// SPDX-License-Identifier: MIT
// Recorded work, and reading back without waiting.
#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

using GraphTest = KernelsTest;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

TEST_P(GraphTest, DrawsAnewAtEachLaunch) {
  const Buffer<uint64_t> iteration(*kernels_, 1);
  const Tensor noise(*kernels_, 7, flat(5)), sums(*kernels_, 1, flat(5)), product(*kernels_, 7, flat(7));
  const auto work = [&] {
    kernels_->noise(
        {.distribution = Distribution::normal, .seed = 8, .stream = 1, .iteration = iteration.data()}, noise);
    kernels_->run(
        ColumnSum{.rows = 7, .columns = 5, .x = noise.data(), .out = sums.data(), .mode = Write::accumulate});
    kernels_->gemm({.m = 7,
                    .n = 7,
                    .inner = 5,
                    .a = noise.data(),
                    .b = noise.data(),
                    .transpose_b = Transpose::yes,
                    .c = product.data(),
                    .beta = 1});
  };
  Buffer<uint64_t> counter(*kernels_, 1);
  const auto set_iteration = [&](uint64_t value) {
    counter.upload(std::vector<uint64_t>{value});
    kernels_->copy(iteration.data(), counter.data(), sizeof value);
  };
  std::vector<std::vector<float>> plain;
  for (const uint64_t i : {1, 2, 3}) {
    set_iteration(i);
    work();
    plain.push_back(noise.download());
    plain.push_back(sums.download());
    plain.push_back(product.download());
  }
  kernels_->zero(sums.data(), sums.size() * 4);
  kernels_->zero(product.data(), product.size() * 4);

  const std::unique_ptr<Graph> graph = kernels_->capture(work);
  EXPECT_TRUE(same_bits(sums.download(), std::vector<float>(5))) << "recording runs nothing";
  std::vector<std::vector<float>> replayed;
  for (const uint64_t i : {1, 2, 3}) {
    set_iteration(i);
    graph->launch();
    replayed.push_back(noise.download());
    replayed.push_back(sums.download());
    replayed.push_back(product.download());
  }
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(same_bits(plain[i], replayed[i])) << i;
  EXPECT_FALSE(same_bits(plain[0], plain[3]));
}

TEST_P(GraphTest, LongSumsAreRecordedToo) {  // they take two steps, through scratch memory
  const int64_t rows = 20'000, columns = 3;
  const Tensor x = tensor(rows, columns, normals(rows * columns)), out(*kernels_, 1, flat(columns));
  const ColumnSum sum{
      .rows = rows, .columns = columns, .x = x.data(), .out = out.data(), .mode = Write::overwrite};
  const std::unique_ptr<Graph> graph = kernels_->capture([&] { kernels_->run(sum); });
  graph->launch();
  const std::vector<float> replayed = out.download();
  kernels_->run(sum);
  EXPECT_TRUE(same_bits(out.download(), replayed));
}

TEST_P(GraphTest, AnErrorWhileRecordingLeavesTheDeviceUsable) {
  if (GetParam() == "cpu") GTEST_SKIP() << "the CPU's recorded work runs at its launch";
  const std::string refused = message_of([&] { kernels_->capture([&] { throw Error("changed my mind"); }); });
  EXPECT_EQ(refused, "changed my mind");
  const std::string allocating =
      message_of([&] { kernels_->capture([&] { Tensor(*kernels_, 3, flat(3)); }); });
  EXPECT_NE(allocating.find("cudaMalloc"), std::string::npos) << allocating;
  EXPECT_NE(allocating.find("may not allocate, free or wait"), std::string::npos) << allocating;
  const std::string waiting = message_of([&] { kernels_->capture([&] { kernels_->synchronize(); }); });
  EXPECT_NE(waiting.find("cudaStreamSynchronize"), std::string::npos) << waiting;
  const Tensor x = tensor(2, 2, {1, 2, 3, 4});
  EXPECT_TRUE(same_bits(x.download(), {1, 2, 3, 4}));
}

TEST_P(GraphTest, ConcurrentWorkIsWaitedFor) {
  const Tensor x(*kernels_, 1, flat(3)), y(*kernels_, 1, flat(3));
  const Tensor one = tensor(1, 3, {1, 1, 1});
  const auto add = [&](const Tensor& from, const Tensor& to) {
    kernels_->run(AddTo{.rows = 1, .columns = 3, .x = from.data(), .y = to.data()});
  };
  const auto work = [&] {
    add(one, x);
    kernels_->concurrently([&] { add(x, one); }, [&] { add(x, y); });
    add(y, one);
  };
  work();  // 1, then 2 and 1, then 3
  EXPECT_TRUE(same_bits(one.download(), {3, 3, 3}));
  const std::unique_ptr<Graph> graph = kernels_->capture(work);
  EXPECT_TRUE(same_bits(one.download(), {3, 3, 3})) << "recording runs nothing";
  graph->launch();  // x 4, one 7, y 5, one 12
  EXPECT_TRUE(same_bits(one.download(), {12, 12, 12}));
  EXPECT_TRUE(same_bits(y.download(), {5, 5, 5}));
  if (kernels_->is_cuda()) {
    EXPECT_EQ(graph->nodes().kernels, 4);
  }
  EXPECT_EQ(graph->nodes().others, 0);
}

TEST_P(GraphTest, ConcurrentWorkIsNotNested) {
  if (GetParam() == "cpu") GTEST_SKIP() << "the CPU does one after the other";
  const auto nothing = [] {};
  const auto nested = [&] { kernels_->concurrently(nothing, nothing); };
  EXPECT_NE(message_of([&] { kernels_->concurrently(nested, nothing); }).find("inside"), std::string::npos);
  EXPECT_NE(message_of([&] { kernels_->concurrently(nothing, nested); }).find("inside"), std::string::npos);
  EXPECT_EQ(message_of([&] { kernels_->concurrently(nothing, nothing); }), "no Error");
}

TEST_P(GraphTest, ReadbackKeepsTheValueOfItsStart) {
  Tensor x = tensor(1, 3, {1, 2, 3});
  const std::unique_ptr<Readback> readback = kernels_->readback(3 * sizeof(float));
  readback->start(x.data());
  kernels_->zero(x.data(), 3 * sizeof(float));
  const auto values = [&] {
    const auto* start = static_cast<const float*>(readback->wait());
    return std::vector<float>(start, start + 3);
  };
  EXPECT_TRUE(same_bits(values(), {1, 2, 3}));
  EXPECT_TRUE(same_bits(values(), {1, 2, 3})) << "waiting again";
  readback->start(x.data());
  EXPECT_TRUE(same_bits(values(), {0, 0, 0}));
}

TEST_P(GraphTest, ReadbackOfARecordedIteration) {
  const Tensor x = tensor(1, 1, {1}), bias = tensor(1, 1, {2});
  const std::unique_ptr<Readback> readback = kernels_->readback(sizeof(float));
  const std::unique_ptr<Graph> graph = kernels_->capture(
      [&] { kernels_->run(AddBias{.rows = 1, .columns = 1, .bias = bias.data(), .y = x.data()}); });
  for (const float expected : {3.0f, 5.0f, 7.0f}) {
    graph->launch();
    readback->start(x.data());
    EXPECT_EQ(*static_cast<const float*>(readback->wait()), expected);
  }
}

TEST_P(GraphTest, StagingKeepsItsBytesUntilTheyHaveLeft) {
  const Tensor x(*kernels_, 1, flat(3)), sum(*kernels_, 1, flat(3));
  const std::unique_ptr<Staging> staging = kernels_->staging(3 * sizeof(float));
  const std::unique_ptr<Graph> graph = kernels_->capture([&] {
    kernels_->run(
        ColumnSum{.rows = 1, .columns = 3, .x = x.data(), .out = sum.data(), .mode = Write::accumulate});
  });
  for (const float value : {1.0f, 10.0f, 100.0f}) {
    auto* block = static_cast<float*>(staging->host());  // waits for the copy before
    std::fill_n(block, 3, value);
    staging->start(x.data());
    graph->launch();
  }
  EXPECT_TRUE(same_bits(sum.download(), {111, 111, 111}));
}

INSTANTIATE_TEST_SUITE_P(Devices, GraphTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
