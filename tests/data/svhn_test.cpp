// SPDX-License-Identifier: MIT
// Files as matio writes them.
#include "data/svhn.h"

#include <matio.h>

#include <cmath>
#include <cstring>

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
    mat_t* file = Mat_CreateVer((*this / "train_32x32.mat").c_str(), nullptr, MAT_FT_MAT5);
    ASSERT_NE(file, nullptr);
    add(file, x_name, {height, width, 3, count}, x, MAT_C_UINT8, MAT_T_UINT8, style.compression);
    add_labels(file, bytes, style);
    Mat_Close(file);
  }

  static void add_labels(mat_t* file, const Bytes& bytes, const Style& style) {
    const auto as = [&]<class T>(T, matio_classes kind) {
      std::vector<T> numbers(bytes.begin(), bytes.end());
      add(file, "y", {bytes.size(), 1}, numbers, kind, style.label_type, style.compression);
    };
    switch (style.label_type) {
      case MAT_T_INT8:
        return as(int8_t{}, MAT_C_INT8);
      case MAT_T_INT16:
        return as(int16_t{}, MAT_C_INT16);
      case MAT_T_UINT16:
        return as(uint16_t{}, MAT_C_UINT16);
      case MAT_T_INT32:
        return as(int32_t{}, MAT_C_INT32);
      case MAT_T_UINT32:
        return as(uint32_t{}, MAT_C_UINT32);
      case MAT_T_INT64:
        return as(int64_t{}, MAT_C_INT64);
      case MAT_T_UINT64:
        return as(uint64_t{}, MAT_C_UINT64);
      case MAT_T_SINGLE:
        return as(float{}, MAT_C_SINGLE);
      case MAT_T_DOUBLE:
        return as(double{}, MAT_C_DOUBLE);
      default:
        return as(uint8_t{}, MAT_C_UINT8);
    }
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
    for (const auto label_type : {MAT_T_UINT8, MAT_T_INT8, MAT_T_INT16, MAT_T_UINT16, MAT_T_INT32,
                                  MAT_T_UINT32, MAT_T_INT64, MAT_T_UINT64, MAT_T_SINGLE, MAT_T_DOUBLE}) {
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
  for (const auto label_type : {MAT_T_UINT8, MAT_T_INT64, MAT_T_SINGLE}) {
    write(wrong, {.label_type = label_type});
    EXPECT_HAS(error(), "train_32x32.mat': image 2 has label 11, svhn has labels 1..10");
  }
  write_file(*this / "train_32x32.mat", "MATLAB 7.3 MAT-file, which is HDF5");
  EXPECT_HAS(error(), "it is no little-endian MATLAB file of version 5");
}

/// What scipy.io.savemat of SciPy 1.17 writes behind the 124 bytes of text: X, uint8, two images of one
/// pixel, (1, 2, 3) and (4, 5, 6); y = [[10], [3]], int64.
TEST_F(SvhnTest, ReadsWhatScipyWrites) {
  Bytes content(124, ' ');
  append(content, {0x00, 0x01, 0x49, 0x4d, 0x0e, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00,
                   0x00, 0x08, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00,
                   0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x03,
                   0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x58, 0x00, 0x00, 0x00,
                   0x02, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x00,
                   0x00, 0x0e, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x08, 0x00,
                   0x00, 0x00, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x08,
                   0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00,
                   0x79, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00,
                   0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00});
  write_quickly(*this / "train_32x32.mat", content);
  const Dataset found = read();
  EXPECT_EQ(found.info.shape, (Features{.height = 1, .width = 1, .channels = 3}));
  EXPECT_EQ(found.images, (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(found.labels, (std::vector<int64_t>{0, 3}));
  for (const auto& [byte, label] : {std::pair{0x80, "image 1 has label -9.223372036854776e+18"},
                                    {0x01, "image 1 has label 7.205759403792794e+16"}}) {
    content.back() = static_cast<uint8_t>(byte);
    write_quickly(*this / "train_32x32.mat", content);
    EXPECT_HAS(error(), label);
  }
}

TEST_F(SvhnTest, LabelsMustBeWhole) {
  const Dataset images = random_dataset(2, house, 10, 1);
  write(images, {.compression = MAT_COMPRESSION_NONE, .label_type = MAT_T_DOUBLE});
  Bytes content = read_file(*this / "train_32x32.mat");
  const auto put = [&](double label) {  // the last number of the file
    std::memcpy(content.data() + content.size() - sizeof label, &label, sizeof label);
    write_quickly(*this / "train_32x32.mat", content);
  };
  put(10);
  EXPECT_EQ(read().labels[1], 0);
  for (const double label : {0.0, -1.0, 1.5, 10.0000001, 11.0, std::nan("")}) {
    put(label);
    EXPECT_HAS(error(), "image 1 has label ");
  }
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
