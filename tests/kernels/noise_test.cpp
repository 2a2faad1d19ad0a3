// SPDX-License-Identifier: MIT
// Noise on every device against tests/reference/philox.h. The emulated device runs cuRAND's own device
// header, so this also holds Random123 (the CPU's) against cuRAND's algorithm.
#include "kernels/kernels_fixture.h"
#include "reference/philox.h"

namespace ebm::test {
namespace {

struct Named {
  uint64_t seed;
  uint32_t stream;
  uint64_t iteration;
};

/// Of Noise's documentation: element i is number (first + i) % 4 of the block with counter {(first + i) / 4,
/// stream : iteration}.
std::vector<double> expected_noise(Distribution distribution, const Named& named, int64_t first,
                                   int64_t size) {
  const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  std::vector<double> numbers;
  for (int64_t i = 0; i < size; ++i) {
    const auto index = static_cast<uint64_t>(first + i) / 4;
    const uint64_t upper = uint64_t{named.stream} << 48 | named.iteration;
    const std::array<uint32_t, 4> counter{low(index), high(index), low(upper), high(upper)};
    const std::array<uint32_t, 2> key{low(named.seed), high(named.seed)};
    const auto k = static_cast<size_t>((first + i) % 4);
    numbers.push_back(distribution == Distribution::normal
                          ? reference::philox_normals(counter, key)[k]
                          : reference::uniform_of(reference::philox4x32_10(counter, key)[k]));
  }
  return numbers;
}

class NoiseTest : public KernelsTest {
 protected:
  std::vector<float> draw(Distribution distribution, const Named& named, int64_t first, int64_t rows,
                          int64_t columns) {
    iteration_.upload(std::vector<uint64_t>{named.iteration});
    const Tensor out(*kernels_, rows, flat(columns));
    kernels_->noise({.distribution = distribution,
                     .seed = named.seed,
                     .stream = named.stream,
                     .iteration = iteration_.data(),
                     .first = first},
                    out);
    return out.download();
  }

  Buffer<uint64_t> iteration_{*kernels_, 1};
};

/// The error of a GPU's fast sine and cosine is 2^-21.4 of 1, not of the number.
Tolerance fast_sincos(const std::string& device) {
  return {.factor = 4,
          .reason = "cuRAND's normals use the GPU's fast sine and cosine",
          .terms = device == "cuda" ? 1.0 : 0.0};
}

TEST_P(NoiseTest, IsTheDocumentedFunctionOfItsName) {
  const std::vector<Named> names{
      {0, 0, 0}, {1, 2, 3}, {0xFEDCBA9876543210, 65535, (uint64_t{1} << 48) - 1}, {42, 7, 150'000}};
  for (const Named& named : names) {
    for (const int64_t size : {1, 2, 3, 4, 5, 17, 1000, 10'001}) {
      for (const int64_t first : {int64_t{0}, int64_t{4}, int64_t{1} << 36}) {
        for (const Distribution distribution : {Distribution::normal, Distribution::uniform}) {
          EXPECT_TRUE(close(draw(distribution, named, first, 1, size),
                            expected_noise(distribution, named, first, size), fast_sincos(GetParam())))
              << "seed " << named.seed << ", stream " << named.stream << ", " << size << " from " << first;
        }
      }
    }
  }
}

TEST_P(NoiseTest, RowsOnTwoDevicesAreRowsOnOne) {
  const Named named{5, 1, 9};
  const std::vector<float> whole = draw(Distribution::normal, named, 0, 10, 8);
  const std::vector<float> rest = draw(Distribution::normal, named, 6 * 8, 4, 8);
  EXPECT_TRUE(same_bits(rest, {whole.begin() + 48, whole.end()}));
}

TEST_P(NoiseTest, HasTheMomentsOfItsDistribution) {
  constexpr int64_t n = 100'000;
  const auto moments = [&](Distribution distribution) {
    double mean = 0, square = 0;
    for (const float x : draw(distribution, {11, 3, 4}, 0, 1, n)) {
      mean += x / double{n};
      square += double{x} * x / n;
    }
    return std::pair(mean, square - mean * mean);
  };
  const auto [normal_mean, normal_variance] = moments(Distribution::normal);
  EXPECT_NEAR(normal_mean, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal_variance, 1, 5 * std::sqrt(2.0 / n));
  const auto [uniform_mean, uniform_variance] = moments(Distribution::uniform);
  EXPECT_NEAR(uniform_mean, 0.5, 5 / std::sqrt(12.0 * n));
  EXPECT_NEAR(uniform_variance, 1.0 / 12, 0.002);
}

TEST_P(NoiseTest, RefusesANameThatDoesNotFit) {
  EXPECT_THROW(draw(Distribution::normal, {1, 65536, 0}, 0, 1, 4), Error);
  EXPECT_THROW(draw(Distribution::normal, {1, 0, 0}, 2, 1, 4), Error);
}

INSTANTIATE_TEST_SUITE_P(Devices, NoiseTest, testing::ValuesIn(devices()));

TEST(NoiseOfTwoDevices, AgreesToRounding) {
  if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  std::vector<std::vector<float>> drawn;
  for (const std::string device : {"cpu", "emulated"}) {
    const auto kernels = open_device(device);
    const Buffer<uint64_t> iteration(*kernels, std::vector<uint64_t>{77});
    const Tensor out(*kernels, 100, flat(101));
    kernels->noise(
        {.distribution = Distribution::normal, .seed = 3, .stream = 4, .iteration = iteration.data()}, out);
    drawn.push_back(out.download());
  }
  EXPECT_TRUE(close(drawn[0], drawn[1]));
}

}  // namespace
}  // namespace ebm::test
