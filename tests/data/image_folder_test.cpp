// SPDX-License-Identifier: MIT
#include "data/image_folder.h"

#include <set>

#include "data/pictures.h"

namespace ebm::test {
namespace {

class ImageFolderTest : public IoTest {
 protected:
  static constexpr int64_t side = 8;

  void put(const std::string& path, const Image& image) {
    std::filesystem::create_directories((*this / path).parent_path());
    const std::string suffix = (*this / path).extension().string();
    write_quickly(*this / path, suffix == ".webp"  ? encode_webp(image)
                                : suffix == ".png" ? encode_png(image, *this / "scratch")
                                                   : encode_jpeg(image, 100));
    std::filesystem::remove(*this / "scratch");
  }
  Dataset read(DataSplit split, double valid_share = 0.15, uint64_t seed = 1) {
    return read_into_memory([&](ImageSink& sink) {
      read_image_folder(
          {.folder = folder_, .name = "cats", .valid_share = valid_share, .seed = seed, .side = side}, split,
          sink);
    });
  }
  std::string gather(Gathered& gathered, Damaged damaged) {
    return error_of([&] {
      read_image_folder(
          {.folder = folder_, .name = "cats", .valid_share = 0, .side = side, .damaged = damaged},
          DataSplit::train, gathered);
    });
  }
  static std::string name(int64_t i) { return std::to_string(1000 + i) + ".png"; }
  /// The images of a data set, each with its label, as a set.
  static std::set<std::pair<std::string, int64_t>> contents(const Dataset& all) {
    std::set<std::pair<std::string, int64_t>> set;
    for (int64_t i = 0; i < std::ssize(all.labels); ++i) {
      const auto image = all.image(i);
      set.insert({{image.begin(), image.end()}, all.labels[static_cast<size_t>(i)]});
    }
    return set;
  }
};

TEST_F(ImageFolderTest, ReadsAllKindsByPathAndLabelsByFolder) {
  const Image a = noise_image(side, side, 1), b = noise_image(side, side, 2), c = noise_image(side, side, 3);
  put("zebra/deep/er/1.PNG", a);  // the encoder takes it for a JPEG: only the content counts
  put("ape/2.png", b);
  put("ape/1.webp", c);
  write_file(*this / "ape" / "notes.txt", "no picture");
  const Dataset all = read(DataSplit::train, 0);
  EXPECT_EQ(all.labels, (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(all.info.count, 3);
  EXPECT_EQ(all.info.name, "cats");
  EXPECT_EQ(all.info.shape, (Features{.height = side, .width = side, .channels = 3}));
  ASSERT_EQ(std::ssize(all.images), 3 * 3 * side * side);
  EXPECT_TRUE(std::ranges::equal(all.image(0), c.rgb));
  EXPECT_TRUE(std::ranges::equal(all.image(1), b.rgb));
}

TEST_F(ImageFolderTest, SplitsAreDisjointCompleteAndAFunctionOfTheSeed) {
  std::filesystem::create_directory(*this / "pictures");
  for (uint32_t i = 0; i < 40; ++i) put("p" + std::to_string(i) + ".png", noise_image(side, side, i));
  const Dataset train = read(DataSplit::train), valid = read(DataSplit::valid);
  EXPECT_EQ(train.info.count, 34);
  EXPECT_EQ(valid.info.count, 6);
  EXPECT_EQ(std::ssize(train.labels), 34);
  auto both = contents(train);
  for (const auto& one : contents(valid)) EXPECT_TRUE(both.insert(one).second) << "in both splits";
  EXPECT_EQ(both.size(), 40u);
  EXPECT_EQ(both, contents(read(DataSplit::train, 0)));
  EXPECT_EQ(read(DataSplit::train).images, train.images);
  EXPECT_NE(contents(read(DataSplit::valid, 0.15, 2)), contents(valid));
}

TEST_F(ImageFolderTest, TrainCropsAnywhereAndValidAtTheCentre) {
  constexpr int64_t room = 12;
  Image ramp = Image::filled(side + room, side, {});  // red says where the crop begins
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side + room; ++x) {
      ramp.rgb[static_cast<size_t>(3 * (y * (side + room) + x))] = static_cast<uint8_t>(10 * x);
    }
  }
  for (uint32_t i = 0; i < 60; ++i) {
    ramp.rgb[1] = static_cast<uint8_t>(i);
    put("p" + std::to_string(i) + ".png", ramp);
  }
  const auto offsets = [](const Dataset& all) {
    std::set<int64_t> found;
    for (int64_t i = 0; i < std::ssize(all.labels); ++i) found.insert(all.image(i)[0] / 10);
    return found;
  };
  EXPECT_EQ(offsets(read(DataSplit::valid, 1)), (std::set<int64_t>{room / 2}));
  const std::set<int64_t> anywhere = offsets(read(DataSplit::train, 0));
  EXPECT_GT(anywhere.size(), size_t{room / 2});
  EXPECT_GE(*anywhere.begin(), 0);
  EXPECT_LE(*anywhere.rbegin(), room);
  EXPECT_EQ(read(DataSplit::train, 0).images, read(DataSplit::train, 0).images);
  EXPECT_NE(read(DataSplit::train, 0, 2).images, read(DataSplit::train, 0).images);
}

TEST_F(ImageFolderTest, NamesAllDamagedPicturesInOneRun) {
  for (int64_t i = 0; i < 300; ++i) put(name(i), noise_image(side, side, static_cast<uint32_t>(i)));
  const std::vector<int64_t> bad{0, 7, 8, 255, 256, 299};
  for (const int64_t i : bad) write_quickly(*this / name(i), {'n', 'o', 'n', 'e'});
  std::filesystem::remove(*this / name(299));
  std::filesystem::create_symlink("/nowhere/at/all", *this / name(299));
  Gathered gathered;
  const std::string message = gather(gathered, Damaged::refuse);
  std::string names;
  for (const int64_t i : bad) names += (names.empty() ? "'" : ", '") + (*this / name(i)).string() + "'";
  EXPECT_HAS(message, "6 of 300 pictures cannot be used: " + names + "; get them again");
  ASSERT_EQ(gathered.damaged.size(), bad.size());
  for (size_t i = 0; i < bad.size(); ++i) EXPECT_HAS(gathered.damaged[i], name(bad[i]) + "': ");
  EXPECT_HAS(gathered.damaged[0], "it is neither JPEG nor PNG nor WebP");
  EXPECT_HAS(gathered.damaged[5], "No such file");
}

TEST_F(ImageFolderTest, BoundsTheListOfDamagedPictures) {
  for (int64_t i = 0; i < 25; ++i) write_quickly(*this / name(i), {'n', 'o'});
  Gathered gathered;
  const std::string message = gather(gathered, Damaged::refuse);
  EXPECT_HAS(message, "25 of 25 pictures cannot be used: '");
  EXPECT_HAS(message, name(19) + "' and 5 more; get them again");
  EXPECT_EQ(gathered.damaged.size(), 25u);
}

TEST_F(ImageFolderTest, LeavingOutDamagedPicturesChangesNothingOfTheOthers) {
  constexpr int64_t count = 300;
  const auto path = [](int64_t i) { return (i % 3 == 0 ? "a/" : "b/") + name(i); };
  for (int64_t i = 0; i < count; ++i) put(path(i), noise_image(side + 9, side, static_cast<uint32_t>(i)));
  Gathered whole, rest;
  EXPECT_EQ(gather(whole, Damaged::skip), "(no Error)");
  EXPECT_EQ(whole.all.info.count, count);
  EXPECT_EQ(whole.all.info.left_out, 0);
  // in the order of the paths: those of a, then those of b
  std::vector<int64_t> order;
  for (int64_t i = 0; i < count; i += 3) order.push_back(i);
  for (int64_t i = 0; i < count; ++i) {
    if (i % 3 != 0) order.push_back(i);
  }
  std::set<int64_t> bad{0, 3, 100, 254, 257, 299};
  for (const int64_t i : bad) write_quickly(*this / path(i), {0xFF, 0xD8, 0xFF, 0xE0});  // a JPEG that is cut
  EXPECT_EQ(gather(rest, Damaged::skip), "(no Error)");
  Bytes images;
  std::vector<int64_t> labels;
  for (int64_t at = 0; at < count; ++at) {
    const int64_t i = order[static_cast<size_t>(at)];
    if (bad.contains(i)) continue;
    const auto image = whole.all.image(at);
    images.insert(images.end(), image.begin(), image.end());
    labels.push_back(i % 3 == 0 ? 0 : 1);
  }
  EXPECT_EQ(rest.all.images, images);
  EXPECT_EQ(rest.all.labels, labels);
  EXPECT_EQ(rest.all.info.count, count - 6);
  EXPECT_EQ(rest.all.info.left_out, 6);
  EXPECT_EQ(rest.damaged.size(), 6u);
}

TEST_F(ImageFolderTest, TellsOfWhatIsNoPictureOfItsKinds) {
  put("a/1.png", noise_image(side, side, 1));
  for (const char* other : {"a/2.bmp", "a/3.bmp", "a/4.gif"}) write_quickly(*this / other, {});
  Gathered gathered;
  EXPECT_EQ(gather(gathered, Damaged::refuse), "(no Error)");
  EXPECT_EQ(gathered.all.info.note, "under '" + folder_.string() + "' were left out: 2 .bmp, 1 .gif");
  EXPECT_EQ(gathered.all.info.left_out, 0);
}

TEST_F(ImageFolderTest, SaysWhatIsWrong) {
  const auto error = [&](DataSplit split, double share) { return error_of([&] { read(split, share); }); };
  EXPECT_HAS(error(DataSplit::train, 0), "there is no .jpg, .jpeg, .jfif, .png or .webp under '");
  put("p.jpg", noise_image(side, side, 1));
  EXPECT_HAS(error(DataSplit::test, 0), "cats has no split 'test'; use one of train, valid");
  EXPECT_HAS(error(DataSplit::valid, 0), "the split 'valid' of the 1 pictures");
  EXPECT_HAS(error(DataSplit::train, std::nan("")), "the valid share is nan");
  write_file(*this / "q.jpg", "no picture");
  EXPECT_HAS(error(DataSplit::train, 0),
             "1 of 2 pictures cannot be used: '" + (*this / "q.jpg").string() + "';");
  std::filesystem::remove_all(folder_);
  EXPECT_HAS(error(DataSplit::train, 0), "cannot read the folder");
}

}  // namespace
}  // namespace ebm::test
