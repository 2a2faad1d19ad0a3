// SPDX-License-Identifier: MIT
// A trainer whose data come from a file: read ahead or on the device, they make the same run.
#include "data/image_data.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class ImageSourceTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  static constexpr Features point{.height = 1, .width = 1, .channels = 2};  // a plane of two-byte images
  static constexpr int64_t batch = 11;

  void SetUp() override {
    IoTest::SetUp();
    write_image_file(*this / "points.h5", [](ImageSink& sink) {
      sink.begin({.name = "points", .shape = point, .count = 40});
      for (int i = 0; i < 40; ++i) {
        const uint8_t pixels[]{static_cast<uint8_t>(37 * i), static_cast<uint8_t>(101 * i + 7)};
        sink.add(pixels, 0);
      }
    });
  }

  void train(const std::string& name, int64_t iterations, int64_t max_resident_bytes) {
    const auto kernels = open_device(GetParam());
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
    options.training.batch = batch;
    const auto data =
        make_image_data(*kernels, ImageFile(*this / "points.h5"),
                        {.share = {.rows = batch}, .seed = 1, .max_resident_bytes = max_resident_bytes});
    EbmBb ebm_bb(*kernels, makers_of(SmallEbmBb::networks()), *data, options);
    ebm_bb.initialize();
    FakeEvaluation evaluation;
    const RunFolder folder(*this / name);
    const auto newest = newest_checkpoint(folder.path());
    const auto resumed = newest ? std::optional(read_checkpoint_info(*newest)) : std::nullopt;
    const Schedule schedule{
        .iterations = iterations, .log_every = 1, .checkpoint_every = 5, .eval_every = 10};
    Trainer trainer(ebm_bb, evaluation, folder, {.name = "test", .config = "x = 1\n"}, schedule, resumed,
                    {.style = ProgressOptions::Style::silent});
    trainer.run();
  }
};

TEST_P(ImageSourceTest, ReadAheadOrOnTheDeviceOrResumedIsTheSameRun) {
  constexpr int64_t none = 0, all = 1 << 20;
  train("resident", 30, all);
  train("read_ahead", 30, none);
  expect_same_runs(*this / "resident", *this / "read_ahead", 30);
  train("resumed", 10, none);
  train("resumed", 30, none);
  expect_same_runs(*this / "resident", *this / "resumed", 30);
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageSourceTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
