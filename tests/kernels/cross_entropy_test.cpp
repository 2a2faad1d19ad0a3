// SPDX-License-Identifier: MIT
// The loss of a classifier, its gradient and its right answers, by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

struct Answer {
  std::vector<float> loss, right, gradient;
};

class CrossEntropyTest : public testing::TestWithParam<std::string> {
 protected:
  Answer answer(int64_t rows, int64_t classes, const std::vector<float>& logits,
                const std::vector<int32_t>& labels) {
    const Buffer<float> in(*kernels_, logits), bar(*kernels_, rows * classes), loss(*kernels_, rows),
        right(*kernels_, rows);
    const Buffer<int32_t> label(*kernels_, labels);
    kernels_->run(CrossEntropy{.rows = rows,
                               .columns = classes,
                               .logits = in.data(),
                               .label = label.data(),
                               .logits_bar = bar.data(),
                               .loss = loss.data(),
                               .right = right.data()});
    return {loss.download(), right.download(), bar.download()};
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Random random_{5};
};

TEST_P(CrossEntropyTest, IsTheFormula) {
  for (const int64_t rows : {1, 3, 17}) {
    for (const int64_t classes : {1, 2, 10, 33}) {
      std::vector<float> logits = reference::to_float(random_.normals(rows * classes));
      for (float& x : logits) x *= 5;
      std::vector<int32_t> labels;
      for (int64_t i = 0; i < rows; ++i) labels.push_back(static_cast<int32_t>((7 * i + 3) % classes));
      const Answer found = answer(rows, classes, logits, labels);
      std::vector<double> losses, gradient;
      for (int64_t i = 0; i < rows; ++i) {
        const auto own = logits.begin() + i * classes;
        const auto wanted = labels[static_cast<size_t>(i)];
        double sum = 0;
        for (int64_t c = 0; c < classes; ++c) sum += std::exp(double{own[c]});
        losses.push_back(std::log(sum) - own[wanted]);
        for (int64_t c = 0; c < classes; ++c)
          gradient.push_back((std::exp(double{own[c]}) / sum - (c == wanted ? 1 : 0)) /
                             static_cast<double>(rows));
        const bool right = std::max_element(own, own + classes) - own == wanted;
        EXPECT_EQ(found.right[static_cast<size_t>(i)], right ? 1.0f : 0.0f);
      }
      EXPECT_TRUE(close(found.loss, losses, {.reason = "log 1 is 0", .terms = 1}));
      EXPECT_TRUE(close(found.gradient, gradient, {.reason = "softmax less 1", .terms = 1}));
    }
  }
}

TEST_P(CrossEntropyTest, LargeLogitsNeitherOverflowNorHide) {
  const Answer found = answer(1, 3, {3e38f, -3e38f, 0}, {0});
  EXPECT_EQ(found.loss[0], 0.0f);
  EXPECT_EQ(found.right[0], 1.0f);
  EXPECT_EQ(answer(1, 3, {200, 0, 0}, {1}).loss[0], 200.0f);
}

TEST_P(CrossEntropyTest, NaNAndForeignLabelsDoNotPass) {
  for (const Answer& found : {answer(1, 3, {1, std::nanf(""), 2}, {0}), answer(1, 3, {1, 0, 2}, {3}),
                              answer(1, 3, {1, 0, 2}, {-1})}) {
    EXPECT_TRUE(std::isnan(found.loss[0]));
    EXPECT_EQ(found.right[0], 0.0f);
    EXPECT_TRUE(
        std::any_of(found.gradient.begin(), found.gradient.end(), [](float x) { return std::isnan(x); }));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, CrossEntropyTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
