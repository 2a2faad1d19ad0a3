// SPDX-License-Identifier: MIT
#include "data/image_data.h"

#include <atomic>
#include <map>
#include <set>

#include "data/data_fixture.h"
#include "data/prefetcher.h"
#include "kernels/kernels_fixture.h"
#include "kernels/recorder/recorder.h"

namespace ebm::test {
namespace {

constexpr Features shape{.height = 3, .width = 5, .channels = 3};

class ImageDataTest : public KernelsTest {
 protected:
  ImageDataTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ebm_images_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ / "noise-train.h5";
  }
  ~ImageDataTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void write(int64_t count, const Features& features = shape) {
    all_ = random_dataset(count, features, 10, static_cast<uint32_t>(count));
    write_image_file(path_, [&](ImageSink& sink) {
      sink.begin(all_.info);
      for (int64_t i = 0; i < count; ++i) sink.add(all_.image(i), 0);
    });
  }
  std::unique_ptr<DataSource> open(ImageDataOptions options, bool streamed = false) {
    if (streamed) options.max_resident_bytes = 0;
    return make_image_data(*kernels_, ImageFile(path_), options);
  }
  std::vector<float> draw(DataSource& source, uint64_t iteration, int64_t batch) {
    set_iteration(iteration);
    const Tensor x(*kernels_, batch, source.features());
    source.prepare(iteration);
    source.draw(iteration_.data(), x);
    return x.download();
  }
  void set_iteration(uint64_t value) { iteration_.upload(std::vector<uint64_t>{value}); }

  /// What image i looks like as training sees it.
  std::vector<double> expected(int64_t i, bool mirrored) {
    const Features& f = all_.info.shape;
    std::vector<double> x;
    for (int64_t h = 0; h < f.height; ++h) {
      for (int64_t w = 0; w < f.width; ++w) {
        for (int64_t c = 0; c < f.channels; ++c) {
          const int64_t column = mirrored ? f.width - 1 - w : w;
          x.push_back(
              all_.image(i)[static_cast<size_t>((h * f.width + column) * f.channels + c)] / 255.0 * 2 - 1);
        }
      }
    }
    return x;
  }
  /// Which image a row of a batch is, and whether mirrored; {-1, false} if none.
  std::pair<int64_t, bool> identify(std::span<const float> row) {
    for (int64_t i = 0; i < all_.info.count; ++i) {
      for (const bool mirrored : {false, true}) {
        if (close(row, expected(i, mirrored))) return {i, mirrored};
      }
    }
    return {-1, false};
  }

  std::filesystem::path folder_, path_;
  Dataset all_;
  Buffer<uint64_t> iteration_{*kernels_, 1};
};

TEST_P(ImageDataTest, EachImageOnceAnEpochAsNumbersInMinusOneToOne) {
  write(7);
  const auto source = open({.share = {.rows = 4}});
  EXPECT_EQ(source->features(), shape);
  std::vector<std::vector<int64_t>> epochs(1);
  for (uint64_t iteration = 0; iteration < 7; ++iteration) {  // 28 draws: 4 epochs, across the batches
    const std::vector<float> x = draw(*source, iteration, 4);
    for (size_t row = 0; row < 4; ++row) {
      const auto [image, mirrored] = identify(std::span(x).subspan(row * 45, 45));
      EXPECT_GE(image, 0) << "iteration " << iteration << ", row " << row;
      EXPECT_FALSE(mirrored);
      if (epochs.back().size() == 7) epochs.emplace_back();
      epochs.back().push_back(image);
    }
  }
  ASSERT_EQ(epochs.size(), 4u);
  const std::set<std::vector<int64_t>> different(epochs.begin(), epochs.end());
  EXPECT_EQ(different.size(), 4u);
  for (auto& epoch : epochs) {
    std::sort(epoch.begin(), epoch.end());
    EXPECT_EQ(epoch, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  }
}

TEST_P(ImageDataTest, MirrorsHalfOfThemWhenAsked) {
  write(9);
  const auto source = open({.share = {.rows = 9}, .flips = Flips::horizontal});
  int64_t mirrored = 0;
  std::map<int64_t, std::set<bool>> sides;
  for (uint64_t iteration = 0; iteration < 40; ++iteration) {
    const std::vector<float> x = draw(*source, iteration, 9);
    for (size_t row = 0; row < 9; ++row) {
      const auto [image, is_mirrored] = identify(std::span(x).subspan(row * 45, 45));
      EXPECT_GE(image, 0);
      mirrored += is_mirrored ? 1 : 0;
      sides[image].insert(is_mirrored);
    }
  }
  EXPECT_NEAR(static_cast<double>(mirrored), 180, 5 * std::sqrt(360 * 0.25));
  for (const auto& [image, seen] : sides) EXPECT_EQ(seen.size(), 2u) << image;
}

TEST_P(ImageDataTest, IsAFunctionOfSeedAndIterationWhereverTheImagesLie) {
  write(50);
  const auto resident = open({.share = {.rows = 6}, .seed = 5, .flips = Flips::horizontal});
  const auto streamed = open({.share = {.rows = 6}, .seed = 5, .flips = Flips::horizontal}, true);
  const auto other = open({.share = {.rows = 6}, .seed = 6, .flips = Flips::horizontal});
  // in order from the start, in order after a resume, back, far ahead, again
  for (const uint64_t i :
       {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1000, 1001, 1002, 3, 4, 1'000'000, 1'000'000, 0}) {
    const std::vector<float> x = draw(*resident, i, 6);
    EXPECT_TRUE(same_bits(draw(*streamed, i, 6), x)) << i;
    EXPECT_FALSE(same_bits(draw(*other, i, 6), x)) << i;
  }
}

/// Step by step, what each rank drew after the one before it.
std::vector<float> together(const std::vector<std::vector<float>>& ranks, size_t steps) {
  std::vector<float> all;
  for (size_t step = 0; step < steps; ++step) {
    for (const std::vector<float>& rank : ranks) {
      const auto size = std::ssize(rank) / static_cast<int64_t>(steps);
      const auto first = rank.begin() + static_cast<int64_t>(step) * size;
      all.insert(all.end(), first, first + size);
    }
  }
  return all;
}

TEST_P(ImageDataTest, RanksShareAnIteration) {
  write(50);
  for (const bool streamed : {false, true}) {
    for (const int64_t steps : {1, 2}) {
      const auto whole = open({.share = {.rows = 6 * steps}, .flips = Flips::horizontal});
      for (uint64_t i = 0; i < 9; ++i) {
        std::vector<std::vector<float>> parts;
        for (int64_t rank = 0; rank < 3; ++rank) {
          const auto part = open(
              {.share = {.rows = 2, .ranks = 3, .rank = rank}, .steps = steps, .flips = Flips::horizontal},
              streamed);
          parts.push_back(draw(*part, i, 2 * steps));
        }
        EXPECT_TRUE(same_bits(together(parts, static_cast<size_t>(steps)), draw(*whole, i, 6 * steps))) << i;
      }
    }
  }
}

TEST_P(ImageDataTest, OddShapesToo) {
  for (const Features& features :
       {Features{1, 1, 1}, Features{1, 17, 1}, Features{17, 1, 4}, Features{32, 32, 3}}) {
    write(3, features);
    const auto source = open({.share = {.rows = 5}, .flips = Flips::horizontal});
    const std::vector<float> x = draw(*source, 0, 5);
    for (int64_t row = 0; row < 5; ++row) {
      const auto size = static_cast<size_t>(features.size());
      EXPECT_GE(identify(std::span(x).subspan(static_cast<size_t>(row) * size, size)).first, 0);
    }
  }
}

TEST_P(ImageDataTest, ReplayedByARecordedIteration) {
  write(50);
  for (const bool streamed : {false, true}) {
    const auto plain = open({.share = {.rows = 6}}, false), source = open({.share = {.rows = 6}}, streamed);
    const Tensor x(*kernels_, 6, shape), sums(*kernels_, 1, flat(45));
    set_iteration(0);
    const std::unique_ptr<Graph> graph = kernels_->capture([&] {
      source->draw(iteration_.data(), x);
      kernels_->run(
          ColumnSum{.rows = 6, .columns = 45, .x = x.data(), .out = sums.data(), .mode = Write::accumulate});
      kernels_->run(Advance{.counter = iteration_.data()});
    });
    // Nothing waits for the device in between, so its queue grows as on a GPU; half-way the run jumps.
    std::vector<uint64_t> iterations(20);
    for (uint64_t i = 0; i < 20; ++i) iterations[i] = i < 10 ? i : 990 + i;
    const Buffer<uint64_t> later(*kernels_, std::vector<uint64_t>{1000});
    const int64_t before = kernels_->allocations();
    for (const uint64_t i : iterations) {
      if (i == 1000) kernels_->copy(iteration_.data(), later.data(), sizeof i);
      source->prepare(i);
      graph->launch();
    }
    EXPECT_EQ(kernels_->allocations(), before);
    const std::vector<float> replayed = x.download(), total = sums.download();
    std::vector<double> expected_total(45);
    for (const uint64_t i : iterations) {
      const std::vector<float> batch = draw(*plain, i, 6);
      for (size_t k = 0; k < batch.size(); ++k) expected_total[k % 45] += batch[k];
      if (i == iterations.back()) {
        EXPECT_TRUE(same_bits(replayed, batch));
      }
    }
    EXPECT_TRUE(close(total, expected_total)) << (streamed ? "streamed" : "resident");
  }
}

TEST_P(ImageDataTest, BatchesThatNobodyPreparedAreNaN) {
  write(50);
  const auto source = open({.share = {.rows = 6}}, true);
  draw(*source, 3, 6);
  set_iteration(4);
  const Tensor x(*kernels_, 6, shape);
  source->draw(iteration_.data(), x);
  for (const float value : x.download()) EXPECT_TRUE(std::isnan(value));
}

TEST_P(ImageDataTest, ADamagedFileEndsTheRunAtItsFirstUse) {
  write(2000);  // three chunks
  const auto source = open({.share = {.rows = 40}}, true);
  draw(*source, 0, 40);
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(ImageFile(path_).chunks().offsets[1] + 5);
  file.put('\x55');
  file.close();
  const std::string message = error_of([&] {
    for (uint64_t i = 1; i < 60; ++i) source->prepare(i);
  });
  EXPECT_HAS(message, "is damaged; write the file with prepare_data again");
  EXPECT_HAS(error_of([&] {
               for (uint64_t i = 1; i < 60; ++i) source->prepare(i);
             }),
             "is damaged");
  EXPECT_HAS(error_of([&] { open({.share = {.rows = 4}}); }), "cannot read dataset 'images'");
}

TEST_P(ImageDataTest, RefusesABatchOfAnotherShape) {
  write(5);
  const auto source = open({.share = {.rows = 4}});
  const Tensor x(*kernels_, 3, shape), y(*kernels_, 4, flat(45));
  EXPECT_HAS(error_of([&] { source->draw(iteration_.data(), x); }),
             "a batch of 3 rows of 3x5x3 was asked of");
  EXPECT_HAS(error_of([&] { source->draw(iteration_.data(), y); }),
             "a batch of 4 rows of 1x1x45 was asked of");
  EXPECT_HAS(error_of([&] { open({.share = {.rows = 0}}); }), "a batch of 0 images");
  EXPECT_HAS(error_of([&] { open({.share = {.rows = 4, .ranks = 2, .rank = 2}}); }), "rank 2 of 2");
}

TEST_P(ImageDataTest, SendsAheadTheBatchAndNothingElse) {
  if (GetParam() != "cpu") GTEST_SKIP() << "recorded once";
  write(9);
  const auto recorder = make_recorder();
  const Buffer<uint64_t> iteration(*recorder, 1);
  const Tensor x(*recorder, 4, shape);
  for (const bool streamed : {false, true}) {
    const auto source =
        make_image_data(*recorder, ImageFile(path_),
                        {.share = {.rows = 4}, .max_resident_bytes = streamed ? 0 : int64_t{1} << 30});
    const std::vector<Launch> ahead = recorder->record([&] { source->prepare(0); });
    ASSERT_EQ(ahead.size(), streamed ? 1u : 0u);
    if (streamed) {
      EXPECT_EQ(ahead[0].kind, LaunchKind::from_host);
      EXPECT_LT(ahead[0].bytes_written(), 4 * shape.size() + 256);
    }
    const std::vector<Launch> drawn = recorder->record([&] { source->draw(iteration.data(), x); });
    ASSERT_EQ(drawn.size(), 2u);
    for (const Launch& launch : drawn) EXPECT_EQ(launch.kind, LaunchKind::map) << launch.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageDataTest, testing::ValuesIn(devices()));

TEST(PrefetcherTest, FillsAheadButNeverASlotInUse) {
  std::vector<Bytes> slots(4, Bytes(8));
  std::vector<std::span<uint8_t>> spans(slots.begin(), slots.end());
  std::atomic<uint64_t> furthest = 0;
  Prefetcher prefetcher(spans, [&](uint64_t iteration, std::span<uint8_t> slot) {
    std::memcpy(slot.data(), &iteration, sizeof iteration);
    furthest = iteration;
  });
  const auto content = [&](uint64_t iteration) {
    uint64_t value = 0;
    std::memcpy(&value, slots[iteration % 4].data(), sizeof value);
    return value;
  };
  prefetcher.start(10);
  for (uint64_t i = 10; i < 200; ++i) {
    const uint64_t oldest = i < 12 ? 10 : i - 2;
    prefetcher.wait(i, oldest);
    for (uint64_t used = oldest; used <= i; ++used) EXPECT_EQ(content(used), used) << i;
    EXPECT_LT(furthest, oldest + 4);
  }
  prefetcher.start(3);
  prefetcher.wait(3, 3);
  EXPECT_EQ(content(3), 3u);
}

TEST(PrefetcherTest, HandsOnFailuresAndCanStartAgain) {
  std::vector<Bytes> slots(2, Bytes(1));
  std::vector<std::span<uint8_t>> spans(slots.begin(), slots.end());
  Prefetcher prefetcher(spans, [](uint64_t iteration, std::span<uint8_t>) {
    if (iteration == 2) throw Error("no batch 2");
  });
  prefetcher.start(0);
  prefetcher.wait(0, 0);
  prefetcher.wait(1, 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(error_of([&] { prefetcher.wait(2, 2); }), "no batch 2");
  prefetcher.start(3);
  prefetcher.wait(3, 3);
}

}  // namespace
}  // namespace ebm::test
