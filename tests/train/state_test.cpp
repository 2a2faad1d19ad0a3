// SPDX-License-Identifier: MIT
// A checkpoint is read whole or not at all.
#include "train/state.h"

#include <limits>

#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class StateTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  /// The checkpoint of the method as it is now.
  std::filesystem::path save(Method& ebm_bb, const std::string& name, int64_t iteration) {
    const RunFolder folder(*this / name);
    folder.save(ebm_bb, {.iteration = iteration}, 1);
    return folder.checkpoint(iteration);
  }
  static EbmBbOptions quadrature(Preconditioning preconditioning) {
    EbmBbOptions options = SmallEbmBb::small_options();
    options.lower->kind = EntropyBoundKind::slq;
    options.lower->preconditioning = preconditioning;
    return options;
  }
};

TEST_P(StateTest, GoesThereAndBack) {
  SmallEbmBb saved(GetParam(), quadrature(Preconditioning::running_gram));
  saved.ebm_bb.iterate();
  const auto path = save(saved.ebm_bb, "a", 7);
  SmallEbmBb other(GetParam(), quadrature(Preconditioning::running_gram));
  restore(path, other.ebm_bb);
  EXPECT_TRUE(bytes_of(path) == bytes_of(save(other.ebm_bb, "b", 7)));
  EXPECT_EQ(other.ebm_bb.iteration().download(), std::vector<uint64_t>{7});
}

// What is missing is found last: all before it has been read, and none of it may have reached the method.
TEST_P(StateTest, ACheckpointThatDoesNotFitChangesNothing) {
  SmallEbmBb saved(GetParam(), quadrature(Preconditioning::none));
  saved.ebm_bb.iterate();
  saved.ebm_bb.iterate();
  const auto path = save(saved.ebm_bb, "saved", 7);

  SmallEbmBb other(GetParam(), quadrature(Preconditioning::running_gram));
  other.ebm_bb.iterate();
  const std::string before = bytes_of(save(other.ebm_bb, "before", 1));
  EXPECT_HAS(error_of([&] { restore(path, other.ebm_bb); }), "bound/state");
  EXPECT_TRUE(before == bytes_of(save(other.ebm_bb, "after", 1)));
  EXPECT_EQ(other.ebm_bb.iteration().download(), std::vector<uint64_t>{1});
}

TEST_P(StateTest, ACheckpointWithANanIsRefused) {
  SmallEbmBb saved(GetParam());
  const View moments = saved.ebm_bb.learner("generator").second_moments();
  const float spoilt = std::numeric_limits<float>::quiet_NaN();
  saved.kernels->upload(moments.data, &spoilt, sizeof spoilt);
  Hdf5File file = Hdf5File::create(*this / "old.h5");
  file.write_attribute("/", "checkpoint_version", 1);
  file.write_attribute("/", "iteration", 7);
  write_state(file, saved.ebm_bb, "", NotFinite::written);
  file.close();

  SmallEbmBb other(GetParam());
  const std::string before = bytes_of(save(other.ebm_bb, "before", 1));
  EXPECT_HAS(error_of([&] { restore(*this / "old.h5", other.ebm_bb); }), "not finite");
  EXPECT_TRUE(before == bytes_of(save(other.ebm_bb, "after", 1)));
}

INSTANTIATE_TEST_SUITE_P(Devices, StateTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
