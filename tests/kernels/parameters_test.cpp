// SPDX-License-Identifier: MIT
// Around an optimiser's step: kernels/formulas/parameters.h.
#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

class ParametersTest : public KernelsTest {
 protected:
  /// {factor, norm} of a gradient in several buffers.
  float clip(const std::vector<std::vector<float>>& gradients, float limit) {
    int64_t count = 0;
    for (const std::vector<float>& g : gradients) count += SquaredNorm::chunks(std::ssize(g));
    const Buffer<double> partial(*kernels_, count);
    const Buffer<float> factor(*kernels_, 1);
    int64_t first = 0;
    for (const std::vector<float>& g : gradients) {
      const Buffer<float> x(*kernels_, g);
      const int64_t chunks = SquaredNorm::chunks(x.size());
      kernels_->run(
          SquaredNorm{.rows = chunks, .size = x.size(), .x = x.data(), .partial = partial.data() + first});
      kernels_->synchronize();
      first += chunks;
    }
    kernels_->run(
        ClipFactor{.count = count, .limit = limit, .partial = partial.data(), .factor = factor.data()});
    return factor.download().front();
  }

  std::vector<float> averaged(const std::vector<float>& average, const std::vector<float>& value,
                              double decay) {
    const Buffer<float> a(*kernels_, average), v(*kernels_, value);
    kernels_->run(
        ExponentialAverage{.columns = a.size(), .decay = decay, .value = v.data(), .average = a.data()});
    return a.download();
  }

  std::vector<float> clamped(const std::vector<float>& from, float low, float high) {
    const Buffer<float> x(*kernels_, from);
    kernels_->run(ClampParameter{.columns = x.size(), .low = low, .high = high, .x = x.data()});
    return x.download();
  }
};

TEST_P(ParametersTest, AGradientIsClippedByItsNorm) {
  for (const int64_t size : {1, 3, 17, 257, 1000, 4095, 4096, 4097, 100'003}) {
    const std::vector<float> g = normals(size), other = normals(19);
    double squares = 0;
    for (const float x : g) squares += double{x} * x;
    for (const float x : other) squares += double{x} * x;
    const double norm = std::sqrt(squares);
    const float limit = static_cast<float>(norm / 3);
    const float found = clip({g, other}, limit);
    EXPECT_TRUE(close(found, limit / (norm + 1e-6))) << size;
    EXPECT_EQ(clip({g, other}, static_cast<float>(1.01 * norm)), 1.0f) << size;
  }
}

TEST_P(ParametersTest, ClippingKnowsItsLimits) {
  EXPECT_EQ(clip({normals(0), {0, 0, 0}}, 1), 1.0f);
  EXPECT_TRUE(close(clip({{0, 3e-7f}, {4e-7f}}, 1e-6f), 1 / 1.5)) << "1e-6 is added to the norm";
  EXPECT_TRUE(close(clip({{2e38f}, {2e38f}}, 1e10f), 1e10 / (2e38 * std::sqrt(2.0))))
      << "of squares beyond float32";
  EXPECT_EQ(clip({{1}, {HUGE_VALF}}, 1), 0.0f);
  EXPECT_TRUE(std::isnan(clip({normals(5000), {1, std::nanf(""), 2}}, 1)));
}

TEST_P(ParametersTest, AveragesAreTheFormula) {
  for (const int64_t size : {1, 3, 16, 17, 257, 1000}) {
    for (const double decay : {0.0, 0.5, 0.9999, 1.0}) {
      const std::vector<float> average = normals(size), value = normals(size);
      std::vector<double> expected;
      for (size_t i = 0; i < value.size(); ++i)
        expected.push_back(decay * average[i] + (1 - decay) * value[i]);
      EXPECT_TRUE(close(averaged(average, value, decay), expected)) << size << ", decay " << decay;
      EXPECT_TRUE(same_bits(averaged(value, value, decay), value)) << "what does not change";
    }
  }
  const std::vector<float> found = averaged({1, 2, 3, std::nanf("")}, {1, std::nanf(""), 4, 0}, 0.5);
  EXPECT_TRUE(std::isnan(found[1]) && std::isnan(found[3]));
  EXPECT_EQ(found[2], 3.5f);
}

TEST_P(ParametersTest, ClampedToAnInterval) {
  const float low = std::log(0.01f), high = std::log(0.3f);
  for (const int64_t size : {1, 3, 16, 257}) {
    std::vector<float> x = normals(size), expected;
    for (float& element : x) element = 3 * element - 3;
    for (const float element : x) expected.push_back(std::fmin(std::fmax(element, low), high));
    EXPECT_EQ(clamped(x, low, high), expected) << size;
  }
  const std::vector<float> found = clamped({-HUGE_VALF, HUGE_VALF, std::nanf(""), low, high}, low, high);
  EXPECT_EQ(found[0], low);
  EXPECT_EQ(found[1], high);
  EXPECT_TRUE(std::isnan(found[2]));
  EXPECT_EQ(found[3], low);
  EXPECT_EQ(found[4], high);
  EXPECT_TRUE(std::isnan(clamped({std::nanf("")}, low, high)[0]));
}

INSTANTIATE_TEST_SUITE_P(Devices, ParametersTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
