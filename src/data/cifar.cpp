// SPDX-License-Identifier: MIT
#include "data/cifar.h"

#include <fmt/format.h>

#include <array>

#include "data/input_file.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

constexpr int64_t side = 32, plane = side * side, channels = 3;

void read_records(const InputFile& file, const CifarFormat& format, int64_t records, ImageSink& sink) {
  const int64_t record_bytes = format.label_bytes + channels * plane;
  if (file.size() != records * record_bytes) {
    throw unusable(file.path(), fmt::format("it has {} bytes, {} records of {} take {}", file.size(), records,
                                            record_bytes, records * record_bytes));
  }
  std::vector<uint8_t> record(static_cast<size_t>(record_bytes));
  std::array<uint8_t, static_cast<size_t>(channels * plane)> pixels;
  for (int64_t i = 0; i < records; ++i) {
    file.read(i * record_bytes, record);
    const int64_t label = record[static_cast<size_t>(format.label_bytes - 1)];
    if (label >= format.classes) {
      throw unusable(file.path(), fmt::format("record {} has label {}, {} has classes 0..{}", i, label,
                                              format.name, format.classes - 1));
    }
    const uint8_t* planes = record.data() + format.label_bytes;
    for (int64_t p = 0; p < plane; ++p) {
      for (int64_t c = 0; c < channels; ++c) {
        pixels[static_cast<size_t>(channels * p + c)] = planes[plane * c + p];
      }
    }
    sink.add(pixels, label);
  }
}

}  // namespace

CifarFormat cifar10_format() {
  return {.name = "cifar10",
          .folder = "cifar-10-batches-bin",
          .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                    "data_batch_5.bin"},
          .test = {"test_batch.bin"},
          .label_bytes = 1,
          .classes = 10,
          .train_records = 10'000,
          .test_records = 10'000};
}

CifarFormat cifar100_format() {
  return {.name = "cifar100",
          .folder = "cifar-100-binary",
          .train = {"train.bin"},
          .test = {"test.bin"},
          .label_bytes = 2,
          .classes = 100,
          .train_records = 50'000,
          .test_records = 10'000};
}

void read_cifar(const fs::path& folder, const CifarFormat& format, DataSplit split, ImageSink& sink) {
  require_split(format.name, split, {DataSplit::train, DataSplit::test});
  const auto& names = split == DataSplit::train ? format.train : format.test;
  const int64_t records = split == DataSplit::train ? format.train_records : format.test_records;
  const fs::path inner = folder / format.folder;
  std::vector<InputFile> files;
  std::string source;
  for (const std::string& name : names) {
    std::error_code ignored;
    files.emplace_back((fs::is_directory(inner, ignored) ? inner : folder) / name);
    source += (source.empty() ? "" : ", ") + name;
  }
  sink.begin({.name = format.name,
              .split = split,
              .source = source,
              .shape = {.height = side, .width = side, .channels = channels},
              .count = records * std::ssize(files)});
  for (const InputFile& file : files) read_records(file, format, records, sink);
}

}  // namespace ebm
