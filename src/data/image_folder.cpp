// SPDX-License-Identifier: MIT
#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "data/picture_files.h"
#include "io/atomic_file.h"
#include "io/read_error.h"
#include "kernels/formulas/images.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

/// The numbers of the pictures of a split, ascending.
std::vector<int64_t> choose(int64_t pictures, const ImageFolderOptions& options, DataSplit split) {
  const auto valid = static_cast<int64_t>(std::llround(options.valid_share * static_cast<double>(pictures)));
  const Permutation shuffled{mix_bits(options.seed), pictures};
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < pictures; ++i) {
    if ((i < valid) == (split == DataSplit::valid)) chosen.push_back(shuffled(i));
  }
  std::sort(chosen.begin(), chosen.end());
  if (chosen.empty()) {
    throw Error(fmt::format("the split '{}' of the {} pictures in '{}' is empty; choose another valid share",
                            to_string(split), pictures, options.folder.string()));
  }
  return chosen;
}

/// A file that is missing or may not be read is as a damaged one; a disk or network that fails concerns all.
bool concerns_one_file(int code) {
  return code == ENOENT || code == ELOOP || code == EACCES || code == EPERM || code == EISDIR ||
         code == ENXIO;
}

}  // namespace

void read_image_folder(const ImageFolderOptions& options, DataSplit split, ImageSink& sink) {
  require_split(options.name, split, {DataSplit::train, DataSplit::valid});
  if (!(options.valid_share >= 0 && options.valid_share <= 1)) {
    throw Error(fmt::format("the valid share is {}; give a number in 0..1", options.valid_share));
  }
  const PictureFiles files = find_pictures(options.folder);
  const std::vector<PictureFile>& pictures = files.pictures;
  const std::vector<int64_t> chosen = choose(std::ssize(pictures), options, split);

  const PictureOptions format{.side = options.side,
                              .crop = split == DataSplit::train ? Crop::random : Crop::centre,
                              .seed = options.seed,
                              .damaged = options.damaged};
  sink.begin({.name = options.name,
              .split = split,
              .source = fmt::format(
                  "{} of the {} pictures in {}, seed {}", chosen.size(), pictures.size(),
                  fs::absolute(options.folder / "").lexically_normal().parent_path().filename().string(),
                  options.seed),
              .shape = PictureQueue::shape(format),
              .count = std::ssize(chosen),
              .note = files.left_out.empty() ? ""
                                             : fmt::format("under '{}' were left out: {}",
                                                           options.folder.string(), files.left_out)});
  PictureQueue queue(format, sink);
  for (const int64_t number : chosen) {
    const PictureFile& picture = pictures[static_cast<size_t>(number)];
    const fs::path path = options.folder / picture.path;
    EncodedPicture encoded{
        .name = path.string(), .bytes = {}, .label = picture.label, .number = static_cast<uint64_t>(number)};
    try {
      encoded.bytes = read_file(path);
    } catch (const ReadError& error) {
      if (!concerns_one_file(error.code())) throw;
      encoded.failure = error.what();
    }
    queue.add(std::move(encoded));
  }
  queue.finish();
}

}  // namespace ebm
