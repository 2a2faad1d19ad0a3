// SPDX-License-Identifier: MIT
#include <numeric>

#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

using MemoryTest = KernelsTest;

TEST_P(MemoryTest, IsZeroWhenNewAlsoAfterUse) {
  for (int round = 0; round < 3; ++round) {
    for (const int64_t size : odd_sizes) {
      Buffer<float> buffer(*kernels_, size);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
      const std::vector<float> zeros(static_cast<size_t>(size));
      EXPECT_TRUE(same_bits(buffer.download(), zeros));
      buffer.upload(normals(size));
    }
  }
}

TEST_P(MemoryTest, MovesBlocksInOrder) {
  std::vector<float> values(257);
  std::iota(values.begin(), values.end(), 0.0f);
  const Tensor from = tensor(1, 257, values), to(*kernels_, 1, flat(257));
  kernels_->copy(to.data() + 1, from.data(), 256 * sizeof(float));
  kernels_->zero(from.data(), 10 * sizeof(float));
  kernels_->copy(to.data(), from.data() + 9, sizeof(float));
  kernels_->synchronize();
  std::vector<float> expected(257);
  std::iota(expected.begin() + 1, expected.end(), 0.0f);
  EXPECT_TRUE(same_bits(to.download(), expected));
  EXPECT_TRUE(same_bits(download(*kernels_, from.view().reshaped(flat(257))), [&] {
    std::fill_n(values.begin(), 10, 0.0f);
    return values;
  }()));
}

TEST_P(MemoryTest, CountsItsAllocations) {
  const int64_t before = kernels_->allocations(), bytes = kernels_->allocated_bytes();
  const Buffer<double> a(*kernels_, 3), none(*kernels_, 0);
  EXPECT_EQ(kernels_->allocations(), before + 1);
  EXPECT_EQ(kernels_->allocated_bytes(), bytes + 24);
}

TEST_P(MemoryTest, SaysHowMuchItCouldNotHave) {
#ifdef __SANITIZE_ADDRESS__
  if (GetParam() == "cpu") GTEST_SKIP() << "AddressSanitizer ends a program that asks for so much";
#endif
  constexpr int64_t far_too_much = int64_t{1} << 50;
  try {
    const Buffer<char> buffer(*kernels_, far_too_much);
    FAIL() << "a petabyte was had";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(std::to_string(far_too_much)), std::string::npos) << message;
    EXPECT_NE(message.find("smaller batch"), std::string::npos) << message;
  }
  const Tensor x = tensor(1, 2, {1, 2});  // and all goes on
  EXPECT_TRUE(same_bits(x.download(), {1, 2}));
}

TEST_P(MemoryTest, TwoOfADeviceDoNotDisturbEachOther) {
  const auto other = open_device(GetParam());
  const Tensor x = tensor(1, 3, {1, 2, 3});
  Tensor y(*other, 1, flat(3));
  y.upload(std::vector<float>{4, 5, 6});
  other->zero(y.data(), sizeof(float));
  kernels_->zero(x.data() + 1, sizeof(float));
  EXPECT_TRUE(same_bits(x.download(), {1, 0, 3}));
  EXPECT_TRUE(same_bits(y.download(), {0, 5, 6}));
}

TEST_P(MemoryTest, NamesItself) {
  EXPECT_EQ(kernels_->is_cuda(), GetParam() != "cpu");
  EXPECT_EQ(kernels_->description().substr(0, 3), GetParam() == "cpu" ? "cpu" : "cud")
      << kernels_->description();
  if (kernels_->is_cuda()) {
    EXPECT_EQ(kernels_->host_threads(), 1);
  }
  const Range outer(*kernels_, "outer"), inner(*kernels_, "inner");
}

INSTANTIATE_TEST_SUITE_P(Devices, MemoryTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
