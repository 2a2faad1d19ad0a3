// SPDX-License-Identifier: MIT
// RUN/evaluation.h5 gives back what was put, in place of what had the same name.
#include "evaluate/evaluation_file.h"

#include "../io/io_fixture.h"

namespace ebm::test {
namespace {

class EvaluationFileTest : public IoTest {
 protected:
  std::filesystem::path path() const { return *this / "evaluation.h5"; }
};

MeasuredMetric metric(const std::string& name, const std::string& protocol, double value) {
  return {.name = name,
          .protocol = protocol,
          .iteration = 30,
          .values = {{"kl", {value, 2}}, {"modes", {3, 4}}},
          .checkpoint = "abc"};
}

TEST_F(EvaluationFileTest, GivesBackWhatWasPut) {
  EXPECT_TRUE(EvaluationFile(path()).metrics().empty());
  EvaluationFile file(path());
  file.put("a = 1\n", metric("modes", "first", 0.5));
  file.put("a = 1\n", metric("jacobian", "other", 0.25));
  file.put("a = 1\n", metric("modes", "second", 0.75));
  const EvaluationFile again(path());
  EXPECT_EQ(again.config(), "a = 1\n");
  ASSERT_EQ(again.metrics().size(), 2u);
  EXPECT_EQ(again.metrics()[1].name, "modes");
  EXPECT_EQ(again.metrics()[1].protocol, "second");
  EXPECT_EQ(again.metrics()[1].iteration, 30);
  ASSERT_EQ(again.metrics()[1].values.size(), 2u);
  EXPECT_EQ(again.metrics()[1].values[0].name, "kl");
  EXPECT_EQ(again.metrics()[1].values[0].repeats, (std::vector<double>{0.75, 2}));
}

TEST_F(EvaluationFileTest, KnowsWhatWasMeasuredHow) {
  EvaluationFile file(path());
  file.put("", metric("modes", "first", 1));
  const EvaluationFile again(path());
  EXPECT_TRUE(again.has("modes", "first", "abc"));
  EXPECT_FALSE(again.has("modes", "first", "abd"))
      << "a checkpoint of the same iteration, of another training";
  EXPECT_FALSE(again.has("modes", "second", "abc"));
  EXPECT_FALSE(again.has("kl", "first", "abc"));
}

TEST_F(EvaluationFileTest, TwoProgramsLoseNothingOfEachOther) {
  EvaluationFile one(path()), other(path());
  one.put("", metric("modes", "first", 1));
  other.put("", metric("jacobian", "first", 2));
  one.put("", metric("fid", "first", 3));
  EXPECT_EQ(EvaluationFile(path()).metrics().size(), 3u);
}

TEST_F(EvaluationFileTest, ADamagedFileIsNamed) {
  EvaluationFile(path()).put("", metric("modes", "first", 1));
  std::filesystem::resize_file(path(), 700);
  EXPECT_HAS(error_of([&] { EvaluationFile file(path()); }),
             "evaluation.h5 away, and evaluate measures anew");
}

}  // namespace
}  // namespace ebm::test
