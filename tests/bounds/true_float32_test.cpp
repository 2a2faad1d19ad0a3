// SPDX-License-Identifier: MIT
// J in true float32 where TF32 is allowed: every array that a bound gives, held against the oracle so closely
// that one product in TF32 shows; and log s1 of J that are ill conditioned.
#include <map>
#include <tuple>

#include "bounds/bound_case.h"
#include "support/rounded_products.h"

namespace ebm::test {
namespace {

using Rounded = std::function<bool(int64_t)>;

/// Errors of the arrays that a bound gives, by their names.
using Errors = std::map<std::string, double>;

/// How many times as far from the oracle as `full` an array is, the one where that is most.
double worse_than(const Errors& full, const Errors& errors) {
  constexpr double rounding = 5e-7;
  double most = 0;
  for (const auto& [array, error] : errors) most = std::max(most, error / std::max(full.at(array), rounding));
  return most;
}

/// The largest error relative to the largest expected number, or to `scale` if that is larger.
double relative_error(std::span<const float> actual, std::span<const double> expected, double scale = 0) {
  if (actual.size() != expected.size()) return HUGE_VAL;
  double worst = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    worst = error <= worst ? worst : std::isnan(error) ? HUGE_VAL : error;
    scale = std::max(scale, std::abs(expected[i]));
  }
  return worst == 0 ? 0 : worst / scale;
}

class BoundOnDevice {
 public:
  BoundOnDevice(const std::string& device, const BoundCase& bound, const ExpectedBound& expected)
      : case_(bound),
        expected_(expected),
        kernels_(make_rounded_products(open_device(device))),
        generator_(network_of(*kernels_, expected.generator, bound.d)),
        z_(on_device(*kernels_, expected.z)),
        v0_(on_device(*kernels_, expected.v0)),
        p0_(on_device(*kernels_, expected.p0)),
        z_bar_(unwritten(*kernels_, BoundCase::batch, flat(bound.d))),
        jv0_(unwritten(*kernels_, BoundCase::batch, flat(bound.range()))) {
    for (const Rows& e : expected.e) e_.push_back(on_device(*kernels_, e));
  }

  /// Everything once, with the products of J that `rounded` names in TF32.
  Errors errors(const Rounded& rounded) {
    const auto bound = make_entropy_bound(*kernels_, *generator_, BoundCase::batch, case_.options);
    kernels_->restart({});
    for (size_t round = 0; round + 1 < e_.size() && bound->wants_e(); ++round) evaluate(*bound, e_[round]);
    kernels_->restart(rounded);
    evaluate(*bound, e_.back());
    Errors errors;
    errors["value"] = relative_error(host(bound->value()), expected_.values());
    if (case_.options.kind != EntropyBoundKind::slq)
      errors["log_s1"] = relative_error(host(bound->log_s1()), expected_.log_s1);
    if (!bound->v().empty()) errors["v"] = error_of_v(host(bound->v()));
    bound->probe_product(jv0_);
    errors["J v0"] = relative_error(jv0_.download(), expected_.jv0.values);
    const bool curved = bound->jacobian().z_depends();
    bound->gradient(curved ? z_bar_.view() : View{}, Gradient::overwrite);
    if (curved) errors["z_bar"] = relative_error(z_bar_.download(), expected_.z_gradient());
    add_gradients(errors);
    bound->probe(z_, v0_, jv0_);
    errors["J v0 alone"] = relative_error(jv0_.download(), expected_.jv0.values);
    return errors;
  }
  /// Of the last errors().
  int64_t products() const { return kernels_->full_products(); }
  int64_t training_products() const { return kernels_->other_products(); }
  /// What errors of "value" and "log_s1" are relative to.
  double largest_expected(const std::string& array) const {
    double most = 0;
    for (const double x : array == "value" ? expected_.values() : expected_.log_s1)
      most = std::max(most, std::abs(x));
    return most;
  }

 private:
  void evaluate(EntropyBound& bound, const Tensor& e) {
    bound.evaluate(z_, {.v0 = v0_,
                        .p0 = bound.wants_p0() ? ConstView(p0_) : ConstView{},
                        .e = bound.wants_e() ? ConstView(e) : ConstView{}});
  }
  std::vector<float> host(ConstView view) { return download(*kernels_, view); }

  /// Either sign of a sample's v is right.
  double error_of_v(const std::vector<float>& v) const {
    std::vector<double> expected;
    for (int64_t b = 0; b < BoundCase::batch; ++b) {
      reference::Vector<double> row = expected_.samples[static_cast<size_t>(b)].v;
      const reference::Vector<double> actual(v.begin() + b * case_.d, v.begin() + (b + 1) * case_.d);
      if (reference::dot(row, actual) < 0) row = reference::scale(-1.0, row);
      expected.insert(expected.end(), row.begin(), row.end());
    }
    return relative_error(v, expected);
  }
  void add_gradients(Errors& errors) {
    const std::vector<float> actual = gradients(*kernels_, *generator_);
    const std::vector<double> expected = expected_.parameter_gradient();
    double scale = 0;
    for (const double x : expected) scale = std::max(scale, 0.01 * std::abs(x));
    size_t first = 0;
    for (const Parameter& p : generator_->parameters().trainable()) {
      const auto size = static_cast<size_t>(p.size);
      errors["gradient of " + p.name] = relative_error(std::span(actual).subspan(first, size),
                                                       std::span(expected).subspan(first, size), scale);
      first += size;
    }
  }

  BoundCase case_;
  const ExpectedBound& expected_;
  std::unique_ptr<RoundedProducts> kernels_;
  std::unique_ptr<Network> generator_;
  Tensor z_, v0_, p0_, z_bar_, jv0_;
  std::vector<Tensor> e_;
};

bool emulated(const std::string& device) {
  return device == "emulated_tf32";
}

bool convolutional(const BoundCase& bound) {
  return bound.D == convolutional_range;
}

class TrueFloat32Test : public testing::TestWithParam<std::tuple<BoundCase, std::string>> {
 protected:
  static ExpectedBound expected_of(const BoundCase& bound) {
    return expected_bound(bound, convolutional(bound)
                                     ? convolutional_generator(bound.d, bound.output)
                                     : generator_of_condition(bound.d, bound.range(), bound.output, 3));
  }
  /// Errors of float32 with the generator of this test. The whitened Krylov space is nearly exhausted.
  double near() const {
    if (convolutional(case_)) return 3e-5;
    return case_.preconditioned() && case_.options.kind == EntropyBoundKind::slq ? 6e-5 : 1e-5;
  }

  const BoundCase& case_ = std::get<0>(GetParam());
  const std::string& device_ = std::get<1>(GetParam());
};

/// Float32 keeps every array near the oracle, and each product of J in TF32, one after the other, moves some
/// array many times as far. (A GPU may compute a product as small as these in float32 where it need not.)
TEST_P(TrueFloat32Test, OneProductInTf32Shows) {
  const ExpectedBound expected = expected_of(case_);
  BoundOnDevice on_device(device_, case_, expected);
  const Errors full = on_device.errors({});
  for (const auto& [array, error] : full) EXPECT_LE(error, near()) << array;
  // For the Radau rule alone, which is no part of the bound, is the last J^T u of Lanczos: three linear maps.
  // With images the first layer's weight gradient hardly sees its values beside its tangents.
  int64_t unseen = case_.options.kind == EntropyBoundKind::slq ? 3 : convolutional(case_) ? 1 : 0;
  const int64_t products = on_device.products();
  EXPECT_GE(products, 15);
  for (int64_t n = 0; n < products && emulated(device_); ++n) {
    const double times = worse_than(full, on_device.errors([n](int64_t i) { return i == n; }));
    if (times >= 10) continue;
    EXPECT_GE(--unseen, 0) << "product " << n << ": " << times;
  }
}

/// Three TF32 products keep every array, gradients too, nearly as near: these sums are so short that float32 hardly
/// rounds, and each product of 3xTF32 has lost 2^-22 of itself.
class SplitTf32BoundTest : public TrueFloat32Test {};
TEST_P(SplitTf32BoundTest, IsAsNearAsFloat32) {
  BoundCase split = case_;
  split.options.jacobian = Precision::tf32x3;
  const ExpectedBound expected = expected_of(split);
  BoundOnDevice on_device(device_, split, expected);
  for (const auto& [array, error] : on_device.errors({})) EXPECT_LE(error, 3 * near()) << array;
  EXPECT_GE(on_device.training_products(), 10) << "nearly all were asked for in 3xTF32";
}

/// In training with TF32 the weights' gradients may be of TF32, and nothing else.
TEST_P(TrueFloat32Test, LastProductsAloneFollowTheTraining) {
  BoundCase training = case_;
  training.options.weight_gradients = Precision::training;
  const ExpectedBound expected = expected_of(training);
  BoundOnDevice on_device(device_, training, expected);
  for (const auto& [array, error] : on_device.errors({})) {
    const bool of_weight = array.starts_with("gradient of") && array.ends_with(".weight");
    EXPECT_LE(error, of_weight ? 0.03 : near()) << array;
  }
  // Of each of the three linear maps: for its tangents, and for its values where they have a cotangent.
  EXPECT_GE(on_device.training_products(), 3);
  EXPECT_LE(on_device.training_products(), 6);
}

/// J of condition 1e4 to 1e6: log s1 and h as float64 has them, to float32's roundings times s_d / s_1. With
/// factors of ten bits they are another number.
class IllConditionedTest : public TrueFloat32Test {};

TEST_P(IllConditionedTest, LogS1OutlivesTf32) {
  const ExpectedBound expected =
      expected_bound(case_, generator_of_condition(case_.d, case_.range(), case_.output, 1e4));
  EXPECT_GT(expected.condition, 1e4);
  EXPECT_LT(expected.condition, 1e6);
  const double near = 3e-7 * expected.condition;
  BoundOnDevice on_device(device_, case_, expected);
  const Errors full = on_device.errors({});
  for (const char* array : {"log_s1", "value"})
    EXPECT_LE(full.at(array) * on_device.largest_expected(array), near) << array;
  if (!emulated(device_)) return;
  const Errors rounded = on_device.errors([](int64_t) { return true; });
  for (const char* array : {"log_s1", "value"})
    EXPECT_GE(rounded.at(array) * on_device.largest_expected(array), 10 * near) << array;
}

TEST_P(IllConditionedTest, LogS1OutlivesThreeTf32Products) {
  BoundCase split = case_;
  split.options.jacobian = Precision::tf32x3;
  const ExpectedBound expected =
      expected_bound(split, generator_of_condition(split.d, split.range(), split.output, 1e4));
  BoundOnDevice on_device(device_, split, expected);
  const Errors errors = on_device.errors({});
  for (const char* array : {"log_s1", "value"})
    EXPECT_LE(errors.at(array) * on_device.largest_expected(array), 3e-7 * expected.condition) << array;
}

std::vector<BoundCase> curved_cases() {
  std::vector<BoundCase> cases = bound_cases();
  std::erase_if(cases, [](const BoundCase& bound) { return bound.output == Output::linear; });
  return cases;
}

std::vector<BoundCase> convolutional_cases() {
  using enum EntropyBoundKind;
  const auto bound = [](const char* name, const EntropyBoundOptions& options) {
    return BoundCase{name, options, 4, Output::tanh, convolutional_range};
  };
  return {bound("LobpcgOfImages", {.kind = lobpcg}), bound("LogDetOfImages", {.kind = logdet})};
}

/// Kinds whose h has log s1 in it whatever the probe, LOBPCG once it has converged.
std::vector<BoundCase> ill_conditioned_cases() {
  using enum EntropyBoundKind;
  std::vector<BoundCase> cases;
  for (const auto& [suffix, output] : {std::pair{"", Output::linear}, std::pair{"Tanh", Output::tanh}}) {
    const auto add = [&](const std::string& name, const EntropyBoundOptions& options) {
      cases.push_back({name + suffix, options, 4, output});
    };
    add("Lobpcg", {.kind = lobpcg, .lobpcg_iterations = 20});
    add("ExactSingularValue", {.kind = s1});
    add("LogDet", {.kind = logdet});
  }
  return cases;
}

std::string true_float32_test_name(const testing::TestParamInfo<std::tuple<BoundCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
// There may be no device with TF32: on a machine without CUDA's headers there is the CPU alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrueFloat32Test);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IllConditionedTest);
INSTANTIATE_TEST_SUITE_P(Tf32, TrueFloat32Test,
                         testing::Combine(testing::ValuesIn(curved_cases()),
                                          testing::ValuesIn(devices_with_tf32())),
                         true_float32_test_name);
INSTANTIATE_TEST_SUITE_P(Devices, SplitTf32BoundTest,
                         testing::Combine(testing::ValuesIn(curved_cases()),
                                          testing::ValuesIn(with_tf32x3(devices()))),
                         true_float32_test_name);
INSTANTIATE_TEST_SUITE_P(Images, SplitTf32BoundTest,
                         testing::Combine(testing::ValuesIn(convolutional_cases()),
                                          testing::ValuesIn(with_tf32x3(devices_with_convolutions()))),
                         true_float32_test_name);
INSTANTIATE_TEST_SUITE_P(Tf32Images, TrueFloat32Test,
                         testing::Combine(testing::ValuesIn(convolutional_cases()),
                                          testing::ValuesIn(with_convolutions(devices_with_tf32()))),
                         true_float32_test_name);
INSTANTIATE_TEST_SUITE_P(Tf32, IllConditionedTest,
                         testing::Combine(testing::ValuesIn(ill_conditioned_cases()),
                                          testing::ValuesIn(devices_with_tf32())),
                         true_float32_test_name);

}  // namespace
}  // namespace ebm::test
