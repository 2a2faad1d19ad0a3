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
#include "io/claimed_folder.h"
#include "io/hdf5_file.h"
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
  bool skip_damaged = false, overwrite = false;

  Damaged damaged() const { return skip_damaged ? Damaged::skip : Damaged::refuse; }
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
                     .side = config.size,
                     .damaged = config.damaged()},
                    split, sink);
}

void read_lsun_class(const Config& config, DataSplit split, ImageSink& sink) {
  read_lsun({.folder = config.from,
             .name = config.name,
             .most = config.most,
             .seed = static_cast<uint64_t>(config.seed),
             .side = config.size,
             .damaged = config.damaged()},
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

/// Counts the images on their way, says on stderr what is left out, and ends it when a signal asks.
class CountingSink final : public ImageSink {
 public:
  struct Labels {
    std::string file, origin;
    bool skips = false;  // damaged pictures, rather than only finding them
  };
  /// Without `sink` the images go nowhere. `said` is the note that was said last, for an earlier split.
  CountingSink(Labels labels, std::string& said, ImageSink* sink, const StopRequest& request)
      : labels_(std::move(labels)), said_(said), sink_(sink), request_(request) {}

  void begin(const DatasetInfo& info) override {
    DatasetInfo complete = info;
    complete.origin = labels_.origin;
    if (sink_ != nullptr) sink_->begin(complete);
    progress_.emplace(labels_.file, info.count);
    if (!info.note.empty() && info.note != said_) say(info.note);
    said_ = info.note;
  }
  void add(std::span<const uint8_t> pixels, int64_t label) override {
    stop_if_asked();
    if (sink_ != nullptr) sink_->add(pixels, label);
    count();
  }
  void leave_out(LeftOut why, const std::string& what) override {
    stop_if_asked();
    constexpr int64_t most =
        20;  // lines about records that are no picture: there may be one for each picture
    if (sink_ != nullptr) sink_->leave_out(why, what);
    const bool damaged = why == LeftOut::damaged;
    const int64_t number = ++(damaged ? damaged_ : no_pictures_);
    if (damaged || number <= most) say((damaged && !labels_.skips ? "" : "left out: ") + what);
    if (damaged) count();
  }

  /// ", left out: 2 damaged, 1 no picture"; "" if there was nothing.
  std::string left_out() const {
    std::string text;
    if (damaged_ > 0) text += fmt::format("{} damaged", damaged_);
    if (no_pictures_ > 0) text += fmt::format("{}{} no picture", text.empty() ? "" : ", ", no_pictures_);
    return text.empty() ? "" : ", left out: " + text;
  }

 private:
  void stop_if_asked() const {
    if (const auto stop = request_.requested())
      throw Stopped(*stop, ": " + labels_.file + " was not written; the same command begins it anew");
  }
  void say(const std::string& text) { progress_->message("prepare_data: " + text); }
  void count() {
    ++done_;
    if (progress_->due()) progress_->update(done_, {});
  }

  Labels labels_;
  std::string& said_;
  ImageSink* sink_;
  const StopRequest& request_;
  std::optional<Progress> progress_;
  int64_t done_ = 0, damaged_ = 0, no_pictures_ = 0;
};

/// What a data set is made from, to tell whether a file was made from the same.
std::string origin_of(const Config& config) {
  std::error_code code;
  auto folder = std::filesystem::weakly_canonical(config.from / std::filesystem::path("."), code);
  if (code) folder = std::filesystem::absolute(config.from);
  return config.dataset + ":" + folder.lexically_normal().string();
}

/// Throws Error when there is a file at `path` and it does not say that it was made from `origin`.
void require_replaceable(const std::filesystem::path& path, const std::string& origin) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return;  // what is wrong with others, writing says
  std::string made_from = "from something unknown";
  try {
    (void)Hdf5File::open_read(path);  // in use, not to be read: that is no reason to replace it
  } catch (const DamagedFile&) {      // then it cannot say
  }
  try {
    const ImageFile file(path);
    if (file.info().origin == origin) return;
    made_from = file.info().origin.empty() ? fmt::format("from an unknown place ({})", file.info().source)
                                           : "from " + file.info().origin;
  } catch (const Error& error) {
    made_from += fmt::format(" ({})", error.what());
  }
  throw Error(
      fmt::format("'{}' is there and was made {}, not from {}; choose another --name or --out (--overwrite "
                  "replaces it)",
                  path.string(), made_from, origin));
}

/// The splits of one data set, one after another.
class Preparation {
 public:
  Preparation(Kind kind, Config config)
      : kind_(std::move(kind)), config_(std::move(config)), origin_(origin_of(config_)) {}

  void run(const std::vector<DataSplit>& splits) {
    std::error_code code;
    std::filesystem::create_directories(config_.out, code);  // what is wrong with it, writing says
    const ClaimedFolder claim(
        config_.out,
        "another prepare_data is writing to '" + config_.out + "'; wait for its end, or give another --out",
        "start no second prepare_data that writes there");
    for (const DataSplit split : splits) {
      if (!config_.overwrite) require_replaceable(path_of(split), origin_);
    }
    DamagedList damaged;
    for (const DataSplit split : splits) {
      try {
        if (damaged.damaged() == 0) {
          prepare(split);
        } else {  // all that are damaged are to be named, those of later splits too
          CountingSink counting(labels(split), said_, nullptr, request_);
          kind_.read(config_, split, counting);
        }
      } catch (const DamagedPictures& error) {
        damaged.append(error.list());
      }
    }
    if (damaged.damaged() > 0) throw DamagedPictures(damaged);
  }

 private:
  std::filesystem::path path_of(DataSplit split) const {
    return image_file_path(config_.out, config_.name, split);
  }
  CountingSink::Labels labels(DataSplit split) const {
    return {.file = path_of(split).filename().string(), .origin = origin_, .skips = config_.skip_damaged};
  }
  void prepare(DataSplit split) {
    const auto path = path_of(split);
    std::string left_out;
    write_image_file(path, [&](ImageSink& sink) {
      CountingSink counting(labels(split), said_, &sink, request_);
      kind_.read(config_, split, counting);
      left_out = counting.left_out();
    });
    const ImageFile file(path);
    const DatasetInfo& info = file.info();
    print(fmt::format("{}: {} images of {}, {:.1f} MiB, {}{}\n", path.string(), format_count(info.count),
                      to_string(info.shape), static_cast<double>(info.count * info.shape.size()) / (1 << 20),
                      file.checksum(), left_out));
  }

  Kind kind_;
  Config config_;
  std::string origin_, said_;
  StopRequest request_;
};

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
  options.add("skip_damaged", &config.skip_damaged,
              "image_folder, lsun: go on without damaged pictures, instead of naming them all in an error");
  options.add("overwrite", &config.overwrite, "replace files that were made from something else");
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
  const std::vector<DataSplit> splits =
      config.split == "all" ? kind.splits : std::vector<DataSplit>{split_of(config.split)};
  Preparation(kind, config).run(splits);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("prepare_data", [&] {
    Config config;
    if (parse(argc, argv, config)) run(config);
    return 0;
  });
}
