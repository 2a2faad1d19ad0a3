// SPDX-License-Identifier: MIT
// The losses of energies and logits: kernels/formulas/gan.h and information.h.
#include "reference/losses.h"

#include "kernels/kernels_fixture.h"
#include "reference/derivatives.h"

namespace ebm::test {
namespace {

using reference::Adversarial;

constexpr std::pair<GanLoss, Adversarial> kinds[] = {{GanLoss::softplus, Adversarial::softplus},
                                                     {GanLoss::hinge, Adversarial::hinge},
                                                     {GanLoss::linear, Adversarial::linear}};

struct Objective {
  std::vector<float> real_bar, fake_bar;
  float mean_real = 0, mean_fake = 0, loss = 0;
};

class LossesTest : public KernelsTest {
 protected:
  Objective objective(GanLoss kind, const std::vector<float>& real, const std::vector<float>& fake) {
    const int64_t samples = std::ssize(real);
    const Buffer<float> e(*kernels_, real), e_fake(*kernels_, fake), bar(*kernels_, samples),
        fake_bar(*kernels_, samples), numbers(*kernels_, 3);
    kernels_->run(GanObjective{.samples = samples,
                               .kind = kind,
                               .real = e.data(),
                               .fake = e_fake.data(),
                               .real_bar = bar.data(),
                               .fake_bar = fake_bar.data(),
                               .mean_real = numbers.data(),
                               .mean_fake = numbers.data() + 1,
                               .loss = numbers.data() + 2});
    const std::vector<float> n = numbers.download();
    return {bar.download(), fake_bar.download(), n[0], n[1], n[2]};
  }

  /// fake_bar and loss alone.
  Objective generator_objective(GanLoss kind, const std::vector<float>& fake) {
    const Buffer<float> e(*kernels_, fake), bar(*kernels_, std::ssize(fake)), loss(*kernels_, 1);
    kernels_->run(GanGeneratorObjective{.samples = std::ssize(fake),
                                        .kind = kind,
                                        .fake = e.data(),
                                        .fake_bar = bar.data(),
                                        .loss = loss.data()});
    return {.real_bar = {}, .fake_bar = bar.download(), .loss = loss.download()[0]};
  }

  /// The cotangents and the cross entropy of 2B logits.
  std::pair<std::vector<float>, float> information(const std::vector<float>& logits, float weight) {
    const Buffer<float> logit(*kernels_, logits), bar(*kernels_, std::ssize(logits)), loss(*kernels_, 1);
    kernels_->run(InformationObjective{.samples = std::ssize(logits) / 2,
                                       .weight = weight,
                                       .logit = logit.data(),
                                       .logit_bar = bar.data(),
                                       .loss = loss.data()});
    return {bar.download(), loss.download()[0]};
  }

  /// Of size 2 and more, the kinks of the hinge and what exp() of float32 does not hold among them.
  std::vector<float> energies(int64_t n) {
    std::vector<float> e = normals(n);
    for (float& x : e) x *= 2;
    const float special[] = {100, -100, 1, -1};
    for (size_t i = 0; i < std::size(special) && 3 * i + 1 < e.size(); ++i) e[3 * i + 1] = special[i];
    return e;
  }
};

std::vector<double> doubles(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

/// `from` with x at index `at`.
std::vector<float> with(std::vector<float> from, size_t at, float x) {
  from[at] = x;
  return from;
}

TEST_P(LossesTest, OfTheEnergyAreTheFormulas) {
  for (const auto& [kind, of_oracle] : kinds) {
    for (const int64_t samples : odd_sizes) {
      const std::vector<float> real = energies(samples), fake = energies(samples);
      const std::vector<double> e = doubles(real), e_fake = doubles(fake);
      const Objective found = objective(kind, real, fake);
      EXPECT_TRUE(close(found.loss, reference::adversarial_loss(of_oracle, e, e_fake))) << samples;
      EXPECT_TRUE(close(found.mean_real, reference::mean(e)));
      EXPECT_TRUE(close(found.mean_fake, reference::mean(e_fake)));
      const auto of_real = [&, which = of_oracle](const auto& x) {
        using T = typename std::decay_t<decltype(x)>::value_type;
        return reference::adversarial_loss(which, x, reference::lift<T>(e_fake));
      };
      const auto of_fake = [&, which = of_oracle](const auto& x) {
        using T = typename std::decay_t<decltype(x)>::value_type;
        return reference::adversarial_loss(which, reference::lift<T>(e), x);
      };
      EXPECT_TRUE(close(found.real_bar, reference::gradient(of_real, e))) << samples;
      EXPECT_TRUE(close(found.fake_bar, reference::gradient(of_fake, e_fake))) << samples;
    }
  }
}

TEST_P(LossesTest, OfTheGeneratorAreTheFormulas) {
  for (const auto& [kind, of_oracle] : kinds) {
    for (const int64_t samples : odd_sizes) {
      const std::vector<float> fake = energies(samples);
      const Objective found = generator_objective(kind, fake);
      const auto loss = [which = of_oracle](const auto& x) {
        return reference::adversarial_generator_loss(which, x);
      };
      EXPECT_TRUE(close(found.loss, loss(doubles(fake)))) << samples;
      EXPECT_TRUE(close(found.fake_bar, reference::gradient(loss, doubles(fake)))) << samples;
    }
  }
}

TEST_P(LossesTest, SmallAndLargeEnergiesNeitherOverflowNorVanish) {
  const std::vector<float> real = {100, -60, 3e38f, -3e38f, 0}, fake = {-100, 60, -3e38f, 3e38f, 0};
  const double tiny = std::exp(-60.0), half = 0.5;
  const Objective soft = objective(GanLoss::softplus, real, fake);
  EXPECT_TRUE(close(soft.loss, 2 * (100 + tiny + 3e38 + 0 + std::log(2.0)) / 5));
  for (size_t i = 0; i < real.size(); ++i) {
    const double slope = std::vector<double>{1, tiny, 1, 0, half}[i] / 5;
    EXPECT_TRUE(close(soft.real_bar[i], slope)) << i;
    EXPECT_TRUE(close(soft.fake_bar[i], -slope)) << i;
  }
  EXPECT_TRUE(close(objective(GanLoss::softplus, {-60}, {60}).loss, 2 * tiny)) << "not 0";
  EXPECT_TRUE(close(objective(GanLoss::softplus, {100}, {-100}).loss, 200.0));
  EXPECT_TRUE(close(generator_objective(GanLoss::softplus, {-60}).loss, tiny));
  EXPECT_TRUE(close(information({60, -60}, 1).second, tiny));
  EXPECT_TRUE(close(information({-3e38f, 100}, 1).second, (3e38 + 100) / 2));
}

TEST_P(LossesTest, TheHingeIsFlatAtItsKink) {
  const float next = std::nextafter(1.0f, 0.0f);
  const Objective found = objective(GanLoss::hinge, {-1, -next, -2, 0}, {1, next, 2, 0});
  EXPECT_EQ(found.real_bar, (std::vector<float>{0, 0.25f, 0, 0.25f}));
  EXPECT_EQ(found.fake_bar, (std::vector<float>{-0.0f, -0.25f, -0.0f, -0.25f}));
}

TEST_P(LossesTest, NaNIsNotHidden) {
  const float nan = std::nanf("");
  const std::vector<float> e = energies(17);
  for (const auto& [kind, of_oracle] : kinds) {
    const Objective real = objective(kind, with(e, 7, nan), e), fake = objective(kind, e, with(e, 7, nan));
    EXPECT_TRUE(std::isnan(real.loss) && std::isnan(real.mean_real) && !std::isnan(real.mean_fake));
    EXPECT_TRUE(std::isnan(fake.loss) && std::isnan(fake.mean_fake) && !std::isnan(fake.mean_real));
    EXPECT_TRUE(std::isnan(generator_objective(kind, with(e, 16, nan)).loss));
  }
  const std::vector<float> logits = energies(34);
  EXPECT_TRUE(std::isnan(information(with(logits, 3, nan), 1).second));
  EXPECT_TRUE(std::isnan(information(with(logits, 33, nan), 1).second));
}

TEST_P(LossesTest, InformationIsTheCrossEntropy) {
  for (const int64_t samples : odd_sizes) {
    const std::vector<float> logits = energies(2 * samples);
    const auto [bar, loss] = information(logits, 0.75f);
    const auto entropy = [](const auto& x) { return reference::binary_cross_entropy(x); };
    EXPECT_TRUE(close(loss, entropy(doubles(logits)))) << samples;
    EXPECT_TRUE(close(bar, reference::scale(0.75, reference::gradient(entropy, doubles(logits))))) << samples;
  }
}

TEST_P(LossesTest, RowsArePermutedAsTheirKeysRise) {
  for (const int64_t rows : odd_sizes) {
    for (const int64_t columns : {1, 4, 17}) {
      std::vector<float> keys = reference::to_float(random_.uniforms(rows));
      for (size_t i = 5; i < keys.size(); i += 3) keys[i] = keys[i / 2];  // some are equal
      const std::vector<float> z = normals(rows * columns);
      const Buffer<float> u(*kernels_, keys), from(*kernels_, z), out(*kernels_, rows * columns);
      kernels_->run(PermuteRows{
          .rows = rows, .columns = columns, .keys = u.data(), .z = from.data(), .out = out.data()});
      std::vector<float> expected;
      for (const size_t row : reference::argsort(doubles(keys))) {
        const auto first = z.begin() + static_cast<int64_t>(row) * columns;
        expected.insert(expected.end(), first, first + columns);
      }
      EXPECT_TRUE(same_bits(out.download(), expected)) << rows << " x " << columns;
    }
  }
}

TEST_P(LossesTest, EveryRowIsKeptWhateverTheKeys) {
  const float nan = std::nanf(""), inf = HUGE_VALF;
  const std::vector<float> keys = {nan, 2, -inf, nan, 2, inf, -0.0f, 0.0f}, z = {0, 1, 2, 3, 4, 5, 6, 7};
  const Buffer<float> u(*kernels_, keys), from(*kernels_, z), out(*kernels_, 8);
  kernels_->run(PermuteRows{.rows = 8, .columns = 1, .keys = u.data(), .z = from.data(), .out = out.data()});
  EXPECT_EQ(out.download(), (std::vector<float>{2, 6, 7, 1, 4, 5, 0, 3}));
}

INSTANTIATE_TEST_SUITE_P(Devices, LossesTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
