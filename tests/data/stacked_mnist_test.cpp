// SPDX-License-Identifier: MIT
#include "data/stacked_mnist.h"

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

constexpr Features digit{.height = 2, .width = 3, .channels = 1};

/// What NumPy 1.24 prints for numpy.random.seed(5); numpy.random.randint(0, N, size=(4, 3)).
struct Drawn {
  int64_t digits;
  std::vector<int64_t> indices;
};
const std::vector<Drawn> drawn{{7, {3, 6, 5, 6, 6, 0, 1, 0, 4, 6, 3, 0}},
                               {8, {3, 6, 7, 5, 6, 6, 0, 1, 0, 4, 7, 6}}};

TEST(StackedMnistTest, StacksTheDigitsThatNumpyDraws) {
  for (const auto& [digits, indices] : drawn) {
    const Dataset mnist = random_dataset(digits, digit, 10, 1);
    Dataset stacked;
    stack_mnist(mnist, {.count = 4, .seed = 5}, stacked);
    EXPECT_EQ(stacked.info.shape, (Features{.height = 2, .width = 3, .channels = 3}));
    EXPECT_EQ(stacked.info.count, 4);
    ASSERT_EQ(stacked.labels.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      int64_t label = 0;
      for (size_t c = 0; c < 3; ++c) {
        const int64_t index = indices[3 * i + c];
        label = 10 * label + mnist.labels[static_cast<size_t>(index)];
        for (size_t p = 0; p < 6; ++p) {
          EXPECT_EQ(stacked.image(static_cast<int64_t>(i))[3 * p + c], mnist.image(index)[p]);
        }
      }
      EXPECT_EQ(stacked.labels[i], label);
    }
  }
}

TEST(StackedMnistTest, DrawsTheTripletsOfTheOfficialSet) {  // numpy.random.seed(111), 60,000 digits
  Dataset numbers;                                          // digit i is the pixels i / 256, i % 256
  numbers.begin({.name = "numbers", .shape = {.height = 1, .width = 2, .channels = 1}, .count = 60'000});
  for (int64_t i = 0; i < 60'000; ++i) {
    const Bytes pixels{static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i % 256)};
    numbers.add(pixels, 0);
  }
  Dataset stacked;
  stack_mnist(numbers, {}, stacked);
  EXPECT_EQ(stacked.info.count, 128'000);
  const auto triplet = [&](int64_t i) {
    std::vector<int64_t> indices;
    for (size_t c = 0; c < 3; ++c) indices.push_back(256 * stacked.image(i)[c] + stacked.image(i)[3 + c]);
    return indices;
  };
  EXPECT_EQ(triplet(0), (std::vector<int64_t>{12116, 10196, 4820}));
  EXPECT_EQ(triplet(3), (std::vector<int64_t>{35624, 37831, 9145}));
  EXPECT_EQ(triplet(127'999), (std::vector<int64_t>{57057, 15602, 55502}));
}

TEST(StackedMnistTest, RefusesWhatIsNoGreyDigits) {
  Dataset stacked;
  const Dataset colour = random_dataset(3, {.height = 2, .width = 2, .channels = 3}, 10, 1);
  EXPECT_HAS(error_of([&] { stack_mnist(colour, {}, stacked); }), "cannot stack 3 images of 2x2x3");
}

}  // namespace
}  // namespace ebm::test
