// SPDX-License-Identifier: MIT
#include "data/lsun.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/lmdb_file.h"

namespace ebm {

void read_lsun(const LsunOptions& options, DataSplit split, ImageSink& sink) {
  require_split(options.name, split, {DataSplit::train, DataSplit::valid});
  const std::string inner =
      fmt::format("{}_{}_lmdb", options.name, split == DataSplit::train ? "train" : "val");
  const std::filesystem::path path = options.folder / inner / "data.mdb";
  const LmdbFile database(path);
  const int64_t all = database.records();
  const int64_t count = options.most > 0 ? std::min(options.most, all) : all;
  const PictureOptions format{.side = options.side,
                              .crop = split == DataSplit::train ? Crop::random : Crop::centre,
                              .seed = options.seed};
  sink.begin({.name = options.name,
              .split = split,
              .source = fmt::format("{} of the {} pictures in {}, seed {}", count, all, inner, options.seed),
              .shape = PictureQueue::shape(format),
              .count = count});
  PictureQueue queue(format, sink);
  int64_t number = 0;
  database.visit([&](std::span<const uint8_t> value) {
    if (number == count) return false;
    queue.add({.name = fmt::format("picture {} of {}", number, path.string()),
               .bytes = {value.begin(), value.end()},
               .label = 0,
               .number = static_cast<uint64_t>(number)});
    return ++number < count;
  });
  queue.finish();
}

}  // namespace ebm
