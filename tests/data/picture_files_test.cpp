// SPDX-License-Identifier: MIT
// The expected labels are those of torchvision's ImageFolder: class_to_idx of the sorted sub-directories,
// os.walk(followlinks=True) below them.
#include "data/picture_files.h"

#include <sys/stat.h>

#include <map>

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;
using Labels = std::map<std::string, int64_t>;

class PictureFilesTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    fs::create_directory(root());
  }
  fs::path root() const { return folder_ / "root"; }
  /// Empty files: none is opened.
  void put(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      fs::create_directories((root() / path).parent_path());
      write_quickly(root() / path, {});
    }
  }
  void link(const std::string& to, const std::string& path) {
    fs::create_directories((root() / path).parent_path());
    fs::create_symlink(to, root() / path);
  }
  Labels labels() {
    Labels all;
    std::vector<fs::path> order;
    for (const PictureFile& file : find_pictures(root()).pictures) {
      EXPECT_TRUE(all.emplace(file.path.string(), file.label).second) << file.path;
      order.push_back(file.path);
    }
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    return all;
  }
  std::string left_out() { return find_pictures(root()).left_out; }
};

TEST_F(PictureFilesTest, LabelsAreThoseOfImageFolder) {
  put({"b/1.jpg", "b/2.PNG", "b/deep/3.webp", "a/4.jpeg", "Z/5.jpg", "c/6.bmp", "cat.jpg/7.jpg",
       "../far/8.jpg", "../far/deep/9.JFIF"});
  fs::create_directory(root() / "aa");
  link("../far", "bb");
  link("../../far/deep", "d/inside");
  link("../../far/8.jpg", "d/linked.jpg");
  // Z, a, aa (empty), b, bb (a link), c (no picture that is decoded here), cat.jpg, d
  EXPECT_EQ(labels(), (Labels{{"Z/5.jpg", 0},
                              {"a/4.jpeg", 1},
                              {"b/1.jpg", 3},
                              {"b/2.PNG", 3},
                              {"b/deep/3.webp", 3},
                              {"bb/8.jpg", 4},
                              {"bb/deep/9.JFIF", 4},
                              {"cat.jpg/7.jpg", 6},
                              {"d/inside/9.JFIF", 7},
                              {"d/linked.jpg", 7}}));
  EXPECT_EQ(left_out(), "1 .bmp");
}

TEST_F(PictureFilesTest, HiddenNamesAreNeitherClassesNorPictures) {
  put({"cats/1.jpg", "cats/._1.jpg", "cats/.jpg", "dogs/2.jpg", ".ipynb_checkpoints/1-checkpoint.jpg",
       "__MACOSX/cats/._1.jpg", "__MACOSX/cats/1.jpg", "cats/__MACOSX/3.jpg", ".DS_Store"});
  EXPECT_EQ(labels(), (Labels{{"cats/1.jpg", 0}, {"dogs/2.jpg", 1}}));
  EXPECT_EQ(left_out(), "6 hidden");
}

TEST_F(PictureFilesTest, CountsTheEndingsOfWhatIsLeftOut) {
  put({"a/1.jpg", "a/2.bmp", "a/3.BMP", "b/4.bmp", "b/5.gif", "b/6.gif", "b/7.tiff", "a/README", "a/x.a b",
       "a/8.png.txt"});
  EXPECT_EQ(labels(), (Labels{{"a/1.jpg", 0}}));
  EXPECT_EQ(left_out(), "3 .bmp, 2 .gif, 2 without an ending, 1 .tiff, 1 .txt");
  put({"a/1.e1", "a/1.e2", "a/1.e3", "a/1.e4", "a/1.e5", "a/2.e5"});
  EXPECT_EQ(left_out(), "3 .bmp, 2 .e5, 2 .gif, 2 without an ending, 1 .e1, 1 .e2, 1 .e3, 1 .e4, 2 others");
}

TEST_F(PictureFilesTest, OnlyFilesAreTakenAndMissingOnesAreNotForgotten) {
  put({"a/1.jpg", "a/kept/2.jpg"});
  ASSERT_EQ(mkfifo((root() / "a" / "pipe.jpg").c_str(), 0600), 0);
  link("pipe.jpg", "a/to_pipe.jpg");
  link("/nowhere/at/all", "a/folder_that_is_gone");
  link("/nowhere/at/all.jpg", "a/gone.jpg");  // a picture of the data set, which reading it will miss
  link("loop.jpg", "a/loop.jpg");
  EXPECT_EQ(labels(), (Labels{{"a/1.jpg", 0}, {"a/gone.jpg", 0}, {"a/kept/2.jpg", 0}, {"a/loop.jpg", 0}}));
  EXPECT_EQ(left_out(), "2 neither file nor folder, 1 linked to nothing");
}

TEST_F(PictureFilesTest, CyclesOfLinksEnd) {
  put({"a/1.jpg", "b/2.jpg"});
  link("..", "a/root");
  link(".", "a/self");
  link("../b", "a/to_b");
  link("../a", "b/to_a");
  link(".", "top");  // a class folder, as ImageFolder has it
  EXPECT_EQ(labels(), (Labels{{"a/1.jpg", 0}, {"a/to_b/2.jpg", 0}, {"b/2.jpg", 1}, {"b/to_a/1.jpg", 1}}));
  // a/root, a/self, a/to_b/to_a, top; b/to_a/root, b/to_a/self, b/to_a/to_b
  EXPECT_EQ(left_out(), "7 linked back to a folder above");
}

TEST_F(PictureFilesTest, AFlatFolderHasTheLabelZero) {
  put({"2.jpg", "1.png", "notes.txt"});
  EXPECT_EQ(labels(), (Labels{{"1.png", 0}, {"2.jpg", 0}}));
  put({"aa/annotations.json"});
  EXPECT_EQ(labels(), (Labels{{"1.png", 0}, {"2.jpg", 0}}));
  EXPECT_EQ(left_out(), "1 .json, 1 .txt");
  put({"b/3.jpg"});  // now there are classes, and what is in none has no label
  EXPECT_EQ(labels(), (Labels{{"b/3.jpg", 1}}));
  EXPECT_EQ(left_out(), "2 beside the class folders, 1 .json, 1 .txt");
}

TEST_F(PictureFilesTest, SaysWhatIsWrong) {
  const auto error = [&] { return error_of([&] { find_pictures(root()); }); };
  EXPECT_HAS(error(),
             "there is no .jpg, .jpeg, .jfif, .png or .webp under '" + root().string() + "'; unpack");
  put({"a/1.bmp", "a/2.bmp"});
  EXPECT_HAS(error(), "under '" + root().string() + "' (but 2 .bmp); unpack");
  fs::remove_all(root());
  EXPECT_HAS(error(), "cannot read the folder '" + root().string() + "': No such file");
  write_quickly(root(), {});
  EXPECT_HAS(error(), "cannot read the folder '" + root().string() + "': Not a directory");
}

}  // namespace
}  // namespace ebm::test
