// SPDX-License-Identifier: MIT
// Files as matio writes them.
#include "data/svhn.h"

#include <matio.h>

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

constexpr Features house{.height = 5, .width = 3, .channels = 3};  // 45 bytes: padded in the file

class SvhnTest : public IoTest {
 protected:
  struct Style {
    matio_compression compression = MAT_COMPRESSION_ZLIB;
    matio_types label_type = MAT_T_UINT8;
  };

  template <class T>
  static void add(mat_t* file, const char* name, std::vector<size_t> dims, std::vector<T>& values,
                  matio_classes kind, matio_types type, matio_compression compression) {
    matvar_t* array =
        Mat_VarCreate(name, kind, type, static_cast<int>(dims.size()), dims.data(), values.data(), 0);
    EXPECT_EQ(Mat_VarWrite(file, array, compression), 0);
    Mat_VarFree(array);
  }

  /// X[h, w, c, n] with h fastest; y with 10 for the digit 0.
  void write(const Dataset& all, const Style& style, const char* x_name = "X") {
    const auto count = static_cast<size_t>(all.info.count);
    const auto height = static_cast<size_t>(all.info.shape.height);
    const auto width = static_cast<size_t>(all.info.shape.width);
    std::vector<uint8_t> x;
    for (size_t n = 0; n < count; ++n) {
      for (size_t c = 0; c < 3; ++c) {
        for (size_t w = 0; w < width; ++w) {
          for (size_t h = 0; h < height; ++h) x.push_back(all.images[((n * height + h) * width + w) * 3 + c]);
        }
      }
    }
    std::vector<uint8_t> bytes;
    for (const int64_t label : all.labels) bytes.push_back(static_cast<uint8_t>(label == 0 ? 10 : label));
    std::vector<double> numbers(bytes.begin(), bytes.end());
    mat_t* file = Mat_CreateVer((*this / "train_32x32.mat").c_str(), nullptr, MAT_FT_MAT5);
    ASSERT_NE(file, nullptr);
    add(file, x_name, {height, width, 3, count}, x, MAT_C_UINT8, MAT_T_UINT8, style.compression);
    if (style.label_type == MAT_T_UINT8) {
      add(file, "y", {count, 1}, bytes, MAT_C_UINT8, MAT_T_UINT8, style.compression);
    } else {
      add(file, "y", {count, 1}, numbers, MAT_C_DOUBLE, MAT_T_DOUBLE, style.compression);
    }
    Mat_Close(file);
  }

  Dataset read() {
    return read_into_memory([&](ImageSink& sink) { read_svhn(folder_, DataSplit::train, sink); });
  }
  std::string error() {
    return error_of([&] { read(); });
  }
};

TEST_F(SvhnTest, ReadsWhatMatioWrites) {
  for (const auto compression : {MAT_COMPRESSION_NONE, MAT_COMPRESSION_ZLIB}) {
    for (const auto label_type : {MAT_T_UINT8, MAT_T_DOUBLE}) {
      for (const int64_t count : {1, 2, 3, 4, 5, 13}) {
        const Dataset expected = random_dataset(count, house, 10, static_cast<uint32_t>(count));
        write(expected, {.compression = compression, .label_type = label_type});
        const Dataset found = read();
        EXPECT_EQ(found.images, expected.images) << count;
        EXPECT_EQ(found.labels, expected.labels) << count;
        EXPECT_EQ(found.info.shape, house);
        EXPECT_EQ(found.info.count, count);
      }
    }
  }
}

TEST_F(SvhnTest, SaysWhatIsWrong) {
  EXPECT_HAS(error(), "train_32x32.mat': No such file");
  EXPECT_HAS(error_of([&] {
               read_into_memory([&](ImageSink& sink) { read_svhn(folder_, DataSplit::valid, sink); });
             }),
             "svhn has no split 'valid'");
  const Dataset images = random_dataset(5, house, 10, 1);
  write(images, {}, "Z");
  EXPECT_HAS(error(), "it has no array 'X'");
  Dataset wrong = images;
  wrong.labels[2] = 11;
  write(wrong, {});
  EXPECT_HAS(error(), "a label is 11, not one of 1..10");
  write_file(*this / "train_32x32.mat", "MATLAB 7.3 MAT-file, which is HDF5");
  EXPECT_HAS(error(), "it is no little-endian MATLAB file of version 5");
}

TEST_F(SvhnTest, WantsTheChecksumAtTheEndOfCompressedImages) {
  write(random_dataset(9, house, 10, 2), {});
  Bytes content = read_file(*this / "train_32x32.mat");
  // the first element: its tag's second word, at byte 132, is the length of the zlib stream
  const size_t end = 136 + content[132] + 256u * content[133];
  for (size_t i = end - 4; i < end; ++i) {
    content[i] ^= 1;
    write_quickly(*this / "train_32x32.mat", content);
    EXPECT_HAS(error(), "its compressed data is damaged");
    content[i] ^= 1;
  }
}

TEST_F(SvhnTest, SurvivesDamagedFiles) {
  const Dataset images = random_dataset(9, house, 10, 2);
  write(images, {.compression = MAT_COMPRESSION_NONE});
  expect_to_survive(*this / "train_32x32.mat", Flipped::anything, [&] { return read(); });
  write(images, {.compression = MAT_COMPRESSION_ZLIB, .label_type = MAT_T_DOUBLE});
  expect_to_survive(*this / "train_32x32.mat", Flipped::harmless_or_error, [&] { return read(); });
}

}  // namespace
}  // namespace ebm::test
