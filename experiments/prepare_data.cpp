// SPDX-License-Identifier: MIT
// Writes data sets, in the formats that they come in, as the files of images that all programs read.
//
//   data/fetch.sh cifar10 && ./experiments/prepare_data --dataset cifar10      ->
//   data/cifar10-{train,test}.h5
//   ./experiments/prepare_data --dataset image_folder --from pictures/animeface --size 64

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "data/cifar.h"
#include "data/image_file.h"
#include "data/image_folder.h"
#include "data/lsun.h"
#include "data/mnist.h"
#include "data/stacked_mnist.h"
#include "data/svhn.h"
#include "io/options.h"
#include "io/program.h"
#include "io/progress.h"
#include "io/signals.h"

using namespace ebm;

namespace {

struct Config {
  std::string dataset, from, out = "data", name, split = "all";
  int64_t size = 64, seed = 1, most = 0;
  double valid_share = 0.15;
};

void read_stacked_mnist(const Config& config, DataSplit split, ImageSink& sink) {
  Dataset mnist;
  read_mnist(config.from, "mnist", split, mnist);
  stack_mnist(mnist, {}, sink);
}

void read_folder(const Config& config, DataSplit split, ImageSink& sink) {
  read_image_folder({.folder = config.from,
                     .name = config.name,
                     .valid_share = config.valid_share,
                     .seed = static_cast<uint64_t>(config.seed),
                     .side = config.size},
                    split, sink);
}

void read_lsun_class(const Config& config, DataSplit split, ImageSink& sink) {
  read_lsun({.folder = config.from,
             .name = config.name,
             .most = config.most,
             .seed = static_cast<uint64_t>(config.seed),
             .side = config.size},
            split, sink);
}

/// A kind of data set: where it is looked for and what it is called unless said otherwise, its splits, how it
/// is read.
struct Kind {
  std::string name, folder, default_name;
  std::vector<DataSplit> splits;
  std::function<void(const Config&, DataSplit, ImageSink&)> read;
};

std::vector<Kind> kinds() {
  using enum DataSplit;
  const auto mnist = [](const Config& c, DataSplit split, ImageSink& sink) {
    read_mnist(c.from, c.name, split, sink);
  };
  const auto cifar = [](const CifarFormat& format) {
    return
        [=](const Config& c, DataSplit split, ImageSink& sink) { read_cifar(c.from, format, split, sink); };
  };
  const auto svhn = [](const Config& c, DataSplit split, ImageSink& sink) { read_svhn(c.from, split, sink); };
  return {{"mnist", "data/mnist", "mnist", {train, test}, mnist},
          {"fashion_mnist", "data/fashion_mnist", "fashion_mnist", {train, test}, mnist},
          {"stacked_mnist", "data/mnist", "stacked_mnist", {train}, read_stacked_mnist},
          {"cifar10", "data/cifar10", "cifar10", {train, test}, cifar(cifar10_format())},
          {"cifar100", "data/cifar100", "cifar100", {train, test}, cifar(cifar100_format())},
          {"svhn", "data/svhn", "svhn", {train, test}, svhn},
          {"image_folder", "", "", {train, valid}, read_folder},
          {"lsun", "data/lsun", "bedroom", {train, valid}, read_lsun_class}};
}

Kind find_kind(const std::string& name) {
  std::string names;
  for (const Kind& kind : kinds()) {
    if (kind.name == name) return kind;
    names += (names.empty() ? "" : ", ") + kind.name;
  }
  throw UsageError(fmt::format("--dataset '{}' is none of {}", name, names));
}

/// Counts the images on their way, and ends it when a signal asks.
class CountingSink final : public ImageSink {
 public:
  CountingSink(std::string name, ImageSink& sink, const StopRequest& request)
      : name_(std::move(name)), sink_(sink), request_(request) {}

  void begin(const DatasetInfo& info) override {
    progress_.emplace(name_, info.count);
    sink_.begin(info);
  }
  void add(std::span<const uint8_t> pixels, int64_t label) override {
    if (const auto stop = request_.requested())
      throw Stopped(*stop, ": " + name_ + " was not written; the same command begins it anew");
    sink_.add(pixels, label);
    ++done_;
    if (progress_->due()) progress_->update(done_, {});
  }
  void leave_out(LeftOut why, const std::string& what) override { sink_.leave_out(why, what); }

 private:
  std::string name_;
  ImageSink& sink_;
  const StopRequest& request_;
  std::optional<Progress> progress_;
  int64_t done_ = 0;
};

void prepare(const Kind& kind, const Config& config, DataSplit split, const StopRequest& request) {
  std::error_code code;
  std::filesystem::create_directories(config.out, code);  // what is wrong with it, writing says
  const auto path = image_file_path(config.out, config.name, split);
  write_image_file(path, [&](ImageSink& sink) {
    CountingSink counting(path.filename().string(), sink, request);
    kind.read(config, split, counting);
  });
  const ImageFile file(path);
  const DatasetInfo& info = file.info();
  print(fmt::format("{}: {} images of {}, {:.1f} MiB, {}\n", path.string(), format_count(info.count),
                    to_string(info.shape), static_cast<double>(info.count * info.shape.size()) / (1 << 20),
                    file.checksum()));
}

bool parse(int argc, char** argv, Config& config) {
  Options options("prepare_data", "Writes a data set as the files of images that all programs read.");
  options.add("dataset", &config.dataset,
              "mnist, fashion_mnist, stacked_mnist, cifar10, cifar100, svhn, image_folder or lsun");
  options.add("from", &config.from,
              "folder of the data set (default: data/DATASET, where data/fetch.sh puts it)");
  options.add_folder("out", &config.out, "folder to write NAME-SPLIT.h5 to");
  options.add("name", &config.name,
              "name of the data set (default: DATASET, or the folder's name; lsun: bedroom)");
  options.add("split", &config.split, "all, train, valid, test or extra");
  options.add("size", &config.size, "image_folder, lsun: side of the images in pixels", {1, 4096});
  options.add("seed", &config.seed, "image_folder, lsun: of the split and of random crops", {0, INT64_MAX});
  options.add("valid_share", &config.valid_share, "image_folder: share of the valid split", {0, 1});
  options.add("most", &config.most, "lsun: only so many pictures (0: all)", {0, INT64_MAX});
  return options.parse(argc, argv);
}

void run(Config config) {
  const Kind kind = find_kind(config.dataset);
  if (config.from.empty()) config.from = kind.folder;
  if (config.from.empty()) throw UsageError("--dataset image_folder needs --from FOLDER");
  if (config.name.empty()) config.name = kind.default_name;
  if (config.name.empty()) {
    config.name = std::filesystem::absolute(config.from / std::filesystem::path("."))
                      .lexically_normal()
                      .parent_path()
                      .filename()
                      .string();
  }
  const StopRequest request;
  if (config.split != "all") return prepare(kind, config, split_of(config.split), request);
  for (const DataSplit split : kind.splits) prepare(kind, config, split, request);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("prepare_data", [&] {
    Config config;
    if (parse(argc, argv, config)) run(config);
    return 0;
  });
}
