// SPDX-License-Identifier: MIT
#include "train/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "kernels/kernels.h"
#include "reference/random.h"

namespace ebm::test {
namespace {

/// Sends SIGUSR1 to the thread that made it, over and over.
class Sender {
 public:
  Sender() : thread_([this, to = pthread_self()] { send(to); }) {}
  ~Sender() {
    done_ = true;
    thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

 private:
  void send(pthread_t to) const {
    while (!done_) {
      pthread_kill(to, SIGUSR1);
      usleep(50);
    }
  }
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

Tensor normals(Kernels& kernels, reference::Random& random, int64_t rows, int64_t columns) {
  Tensor tensor(kernels, rows, flat(columns));
  const std::vector<double> values = random.normals(rows * columns);
  tensor.upload(std::vector<float>(values.begin(), values.end()));
  return tensor;
}

// A layer of the network for MNIST: its product runs in kernels that use the stack pointer for themselves.
TEST(StopRequestTest, SignalsDuringProductsLeaveMemoryAlone) {
  constexpr int64_t m = 64, n = 2000, inner = 2352;
  const auto kernels = open_kernels("cpu");
  reference::Random random(4);
  const Tensor a = normals(*kernels, random, m, inner), b = normals(*kernels, random, inner, n);
  const auto product = [&] {
    const Tensor c(*kernels, m, flat(n));
    kernels->gemm({.m = m, .n = n, .inner = inner, .a = a.data(), .b = b.data(), .c = c.data()});
    return c.download();
  };
  const std::vector<float> alone = product();
  const StopRequest request;
  const Sender sender;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(product() == alone);
  ASSERT_TRUE(request.requested());
  EXPECT_EQ(request.requested()->name, "SIGUSR1");
}

}  // namespace
}  // namespace ebm::test
