// SPDX-License-Identifier: MIT
#include "data/lsun.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/decode_image.h"
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
                              .seed = options.seed,
                              .damaged = options.damaged};
  sink.begin({.name = options.name,
              .split = split,
              .source = fmt::format("{} of the {} records in {}, seed {}", count, all, inner, options.seed),
              .shape = PictureQueue::shape(format),
              .count = count});
  PictureQueue queue(format, sink);
  int64_t number = 0;
  database.visit([&](const LmdbFile::Record& record) {
    if (number == count) return false;
    const std::string key = printable(record.key);
    if (!begins_as_picture(record.value)) {
      sink.leave_out(LeftOut::no_picture,
                     fmt::format("record '{}' of '{}': it is no picture", key, path.string()));
      return true;
    }
    queue.add({.name = fmt::format("picture {} (key {}) of {}", number, key, path.string()),
               .bytes = {record.value.begin(), record.value.end()},
               .label = 0,
               .number = static_cast<uint64_t>(number)});
    return ++number < count;
  });
  if (number == 0 && all > 0) {
    throw unusable(path, fmt::format("none of its {} records is a JPEG, PNG or WebP picture", all));
  }
  queue.finish();
}

}  // namespace ebm
