// SPDX-License-Identifier: MIT
// Small runs of the experiments on images, by their programs.
#pragma once

#include "data/data_fixture.h"
#include "data/image_file.h"
#include "io/png.h"
#include "support/process.h"
#include "trainer_fixture.h"

namespace ebm::test {

using Words = std::vector<std::string>;

/// A small run of an experiment: its program, what makes it small, its images, the sides of a 2 x 2 grid.
struct Small {
  std::string name, program;
  Words options;
  Features shape;
  int64_t page;
};

inline std::ostream& operator<<(std::ostream& out, const Small& small) {
  return out << small.name;
}

inline std::vector<Small> small_runs() {
  return {{"cifar10", "cifar10_bb", {"--width", "2"}, {32, 32, 3}, 134},
          {"mnist", "mnist_bb", {"--width", "16"}, {28, 28, 1}, 174},
          {"stacked", "mnist_bb", {"--width", "16", "--stacked"}, {28, 28, 3}, 174},
          {"animeface", "animeface_bb", {"--width", "1"}, {64, 64, 3}, 134},
          {"animeface_norm", "animeface_bb", {"--width", "1", "--energy-norm", "batch"}, {64, 64, 3}, 134}};
}

class ImageExperimentsTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("sample").empty()) GTEST_SKIP() << "the programs are not built";
  }
  std::string path(const std::string& name) { return (*this / name).string(); }

  /// The command of a small run in the folder `out`.
  Words command(const Small& small, const std::string& out, const Words& more = {}) {
    Words words{program_path(small.program),
                "--device",
                "cpu",
                "--latent",
                "3",
                "--batch",
                "4",
                "--out",
                path(out),
                "--grid",
                "2"};
    // Not every method has a hinge.
    if (std::find(more.begin(), more.end(), "--method") == more.end())
      words.insert(words.end(), {"--hinge", "0"});
    words.insert(words.end(), small.options.begin(), small.options.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Finished run(const Small& small, const std::string& out, const Words& more = {}) {
    return run_command(command(small, out, more));
  }
  /// Some iterations on made up images.
  Finished train(const Small& small, const std::string& out, const Words& more = {}) {
    Words words{"--synthetic", "--shape-samples", "20", "--iterations", "3"};
    words.insert(words.end(), more.begin(), more.end());
    return run(small, out, words);
  }
  Finished sample(const Words& words) {
    Words all{program_path("sample"), "--device", "cpu", "--out", path("drawn")};
    all.insert(all.end(), words.begin(), words.end());
    std::filesystem::create_directories(*this / "drawn");
    return run_command(all);
  }
  /// Writes a file of random images; returns the images.
  Dataset write_images(const std::string& name, int64_t count, const Features& shape, uint32_t seed) {
    const Dataset all = random_dataset(count, shape, 10, seed);
    write_image_file(*this / name, [&](ImageSink& sink) { pour(all, sink); });
    return all;
  }
  void expect_picture(const std::string& name, int64_t width, int64_t height) {
    const Image picture = read_png(*this / name);
    EXPECT_EQ(picture.width, width) << name;
    EXPECT_EQ(picture.height, height) << name;
  }

  const Small cifar_ = small_runs().front();
};

/// The column of that name.
inline std::vector<double> column(const MetricTable& metrics, const std::string& name) {
  const auto found = std::find(metrics.names.begin(), metrics.names.end(), name);
  if (found == metrics.names.end()) throw Error("run.h5 has no " + name);
  return metrics.columns[static_cast<size_t>(found - metrics.names.begin())];
}

}  // namespace ebm::test
