// SPDX-License-Identifier: MIT
// A checkpoint is read whole or not at all.
#include "train/state.h"

#include <limits>

#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class StateTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  /// The checkpoint of the game as it is now.
  std::filesystem::path save(Method& game, const std::string& name, int64_t iteration) {
    const RunFolder folder(*this / name);
    folder.save(game, iteration, "", MetricTable{}, 1);
    return folder.checkpoint(iteration);
  }
  static EbmBbOptions quadrature(Preconditioning preconditioning) {
    EbmBbOptions options = SmallGame::small_options();
    options.lower->kind = EntropyBoundKind::slq;
    options.lower->preconditioning = preconditioning;
    return options;
  }
};

TEST_P(StateTest, GoesThereAndBack) {
  SmallGame saved(GetParam(), quadrature(Preconditioning::running_gram));
  saved.game.iterate();
  const auto path = save(saved.game, "a", 7);
  SmallGame other(GetParam(), quadrature(Preconditioning::running_gram));
  restore(path, other.game);
  EXPECT_TRUE(bytes_of(path) == bytes_of(save(other.game, "b", 7)));
  EXPECT_EQ(other.game.iteration().download(), std::vector<uint64_t>{7});
}

// What is missing is found last: all before it has been read, and none of it may have reached the game.
TEST_P(StateTest, ACheckpointThatDoesNotFitChangesNothing) {
  SmallGame saved(GetParam(), quadrature(Preconditioning::none));
  saved.game.iterate();
  saved.game.iterate();
  const auto path = save(saved.game, "saved", 7);

  SmallGame other(GetParam(), quadrature(Preconditioning::running_gram));
  other.game.iterate();
  const std::string before = bytes_of(save(other.game, "before", 1));
  EXPECT_HAS(error_of([&] { restore(path, other.game); }), "bound/state");
  EXPECT_TRUE(before == bytes_of(save(other.game, "after", 1)));
  EXPECT_EQ(other.game.iteration().download(), std::vector<uint64_t>{1});
}

TEST_P(StateTest, ACheckpointWithANanIsRefused) {
  SmallGame saved(GetParam());
  const View moments = saved.game.learner("generator").second_moments();
  const float spoilt = std::numeric_limits<float>::quiet_NaN();
  saved.kernels->upload(moments.data, &spoilt, sizeof spoilt);
  Hdf5File file = Hdf5File::create(*this / "old.h5");
  file.write_attribute("/", "checkpoint_version", 1);
  file.write_attribute("/", "iteration", 7);
  write_state(file, saved.game, "", NotFinite::written);
  file.close();

  SmallGame other(GetParam());
  const std::string before = bytes_of(save(other.game, "before", 1));
  EXPECT_HAS(error_of([&] { restore(*this / "old.h5", other.game); }), "not finite");
  EXPECT_TRUE(before == bytes_of(save(other.game, "after", 1)));
}

INSTANTIATE_TEST_SUITE_P(Devices, StateTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
