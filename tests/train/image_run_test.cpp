// SPDX-License-Identifier: MIT
// What an experiment on images refuses before it trains, or trains on: shapes, and the files of its images.
#include "image_experiments_fixture.h"

namespace ebm::test {
namespace {

class ImageRunTest : public ImageExperimentsTest {};

TEST_F(ImageRunTest, AJacobianThatCannotHaveFullRankIsRefused) {
  const struct {
    std::string program;
    Words options;
    std::string message;
  } cases[] = {
      {"mnist_bb",
       {"--width", "256"},
       "z has d = 128 dimensions, but only 64 pass its narrowest layer, main.0, so that its Jacobian's "
       "smallest singular value is 0; give --latent of at most 64, or a larger --width"},
      {"mnist_bb", {"--latent", "1000", "--lower-bound", "s1"}, "d = 1000 dimensions, but only 500 pass"},
      {"mnist_bb",
       {"--latent", "785", "--width", "8000"},
       "main.9, so that its Jacobian's smallest "
       "singular value is 0; give --latent of at most 784\n"},
      {"mnist_bb", {"--stacked", "--latent", "501", "--lower-bound", "logdet"}, "only 500 pass"},
      {"cifar10_bb", {"--width", "1", "--latent", "129", "--lower-bound", "slq"}, "only 128 pass"},
      {"cifar10_bb", {"--latent", "3073", "--preset", "code"}, "at most 3072\n"},
      {"animeface_bb", {"--width", "1", "--latent", "257", "--method", "ebm_0gp"}, "only 256 pass"}};
  for (const auto& refused : cases) {
    Words words{program_path(refused.program),
                "--synthetic",
                "--shape-samples",
                "20",
                "--device",
                "cpu",
                "--batch",
                "2",
                "--iterations",
                "1",
                "--out",
                path("refused")};
    words.insert(words.end(), refused.options.begin(), refused.options.end());
    expect_refused(refused.program, run_command(words), 2, refused.message);
  }
  EXPECT_FALSE(exists(*this / "refused"));
  for (const Words& enough :
       {Words{"--latent", "4", "--method", "ebm_bb"}, {"--latent", "5", "--method", "wgan_0gp"}}) {
    const Finished done = train(small_runs()[1], "run" + enough[1], enough);
    EXPECT_EQ(done.status, 0) << done.err;
  }
}

/// The file with a byte of an image changed, and the checksum that was there, as h5py leaves it in mode "r+".
void change_in_place(const std::filesystem::path& path, const Dataset& images) {
  const std::string checksum = ImageFile(path).checksum();
  const Features& f = images.info.shape;
  Bytes changed = images.images;
  changed[17] ^= 1;
  Hdf5File file = Hdf5File::create(path);
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"layout", "ebm images 1"},
                                    {"name", images.info.name},
                                    {"source", images.info.source},
                                    {"split", to_string(images.info.split)},
                                    {"checksum", checksum}})
    file.write_attribute("/", name, value);
  file.write_dataset("images", std::span<const uint8_t>(changed),
                     {images.info.count, f.height, f.width, f.channels});
  file.write_dataset("labels", std::span<const int64_t>(images.labels), {images.info.count});
  file.close();
}

TEST_F(ImageRunTest, ImagesThatWereChangedInPlaceAreNotTrainedOn) {
  const Dataset train_images = write_images("train.h5", 9, cifar_.shape, 1);
  const Dataset test_images = write_images("test.h5", 5, cifar_.shape, 2);
  const Words go{"--data", path("train.h5"), "--held-out", path("test.h5"), "--iterations", "2"};
  ASSERT_EQ(run(cifar_, "run", go).status, 0);
  change_in_place(*this / "test.h5", test_images);
  expect_refused("cifar10_bb", run(cifar_, "fresh", go), 1,
                 "'" + path("test.h5") + "' has the content crc32:");
  Words fewer = go;  // not all of them are read
  fewer.insert(fewer.end(), {"--held-out-images", "4"});
  EXPECT_EQ(run(cifar_, "fresh", fewer).status, 0);
  change_in_place(*this / "train.h5", train_images);
  Words on = fewer;
  on.insert(on.end(), {"--iterations", "3"});
  for (const char* out : {"run", "another"})
    expect_refused("cifar10_bb", run(cifar_, out, on), 1,
                   "'" + path("train.h5") + "' has the content crc32:");
  EXPECT_FALSE(exists(*this / "another"));
}

TEST_F(ImageRunTest, HeldOutImagesAreThoseBesideTheData) {
  write_images("svhn-train.h5", 9, cifar_.shape, 1);
  write_images("svhn-test.h5", 5, cifar_.shape, 2);
  for (const std::string split : {"test", "valid"}) {
    if (split == "valid") std::filesystem::rename(*this / "svhn-test.h5", *this / "svhn-valid.h5");
    ASSERT_EQ(run(cifar_, split, {"--data", path("svhn-train.h5"), "--iterations", "2"}).status, 0);
    EXPECT_HAS(bytes_of(*this / split / "config.toml"),
               "\nheld_out = \"" + path("svhn-" + split + ".h5") + "\" ");
    EXPECT_TRUE(
        std::isfinite(column(read_run_log(*this / split / "run.h5").metrics, "energy_held_out").back()));
  }
}

TEST_F(ImageRunTest, HeldOutImagesThatWereAskedForMustBeThere) {
  write_images("train.h5", 9, cifar_.shape, 1);
  const Words go{"--data", path("train.h5"), "--iterations", "2"};
  const auto with = [&](const Words& more) {
    Words words = go;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::string missing =
      "there is no '" + path("tset.h5") +
      "' to measure held-out energies of; give another --held-out, or --held-out '' for none";
  expect_refused("cifar10_bb", run(cifar_, "a", with({"--held-out", path("tset.h5")})), 1, missing);
  write_file(*this / "config.toml", "held_out = \"" + path("tset.h5") + "\"\n");
  expect_refused("cifar10_bb", run(cifar_, "a", with({"--config", path("config.toml")})), 1, missing);
  EXPECT_FALSE(exists(*this / "a"));

  // The default's file is not there; nor need it be when the configuration is given back.
  ASSERT_FALSE(exists(std::filesystem::path("data/cifar10-test.h5")));
  ASSERT_EQ(run(cifar_, "run", go).status, 0);
  EXPECT_HAS(bytes_of(*this / "run/config.toml"), "\nheld_out = \"\" ");
  EXPECT_TRUE(std::isnan(column(read_run_log(*this / "run/run.h5").metrics, "energy_held_out").back()));
  const Finished repeated =
      run_command({program_path("cifar10_bb"), "--config", path("run/config.toml"), "--out", path("again")});
  EXPECT_EQ(repeated.status, 0) << repeated.err;
  EXPECT_EQ(run(cifar_, "none", with({"--held-out", ""})).status, 0);

  write_images("test.h5", 5, cifar_.shape, 2);  // may come later
  const Finished more = run(cifar_, "run", with({"--held-out", path("test.h5"), "--iterations", "3"}));
  EXPECT_EQ(more.status, 0) << more.err;
  EXPECT_TRUE(std::isfinite(column(read_run_log(*this / "run/run.h5").metrics, "energy_held_out").back()));
}

}  // namespace
}  // namespace ebm::test
