// SPDX-License-Identifier: MIT
#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "io/atomic_file.h"
#include "kernels/formulas/images.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png" || suffix == ".webp";
}

/// The pictures' paths relative to `folder`, sorted.
std::vector<fs::path> list_pictures(const fs::path& folder) {
  std::vector<fs::path> pictures;
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    if (is_picture(entry->path())) pictures.push_back(entry->path().lexically_relative(folder));
  }
  if (code) {
    throw Error(
        fmt::format("cannot read the folder '{}': {}; check the path", folder.string(), code.message()));
  }
  if (pictures.empty()) {
    throw Error(fmt::format("there is no .jpg, .jpeg, .png or .webp under '{}'; unpack the data set there",
                            folder.string()));
  }
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

/// The first folder on a relative path, "" if there is none.
std::string class_of(const fs::path& path) {
  return path.has_parent_path() ? path.begin()->string() : "";
}

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

}  // namespace

void read_image_folder(const ImageFolderOptions& options, DataSplit split, ImageSink& sink) {
  require_split(options.name, split, {DataSplit::train, DataSplit::valid});
  if (!(options.valid_share >= 0 && options.valid_share <= 1)) {
    throw Error(fmt::format("the valid share is {}; give a number in 0..1", options.valid_share));
  }
  const std::vector<fs::path> pictures = list_pictures(options.folder);
  std::set<std::string> classes;
  for (const fs::path& path : pictures) classes.insert(class_of(path));
  const std::vector<int64_t> chosen = choose(std::ssize(pictures), options, split);

  const PictureOptions format{.side = options.side,
                              .crop = split == DataSplit::train ? Crop::random : Crop::centre,
                              .seed = options.seed};
  sink.begin({.name = options.name,
              .split = split,
              .source = fmt::format("{} of the {} pictures in {}, seed {}", chosen.size(), pictures.size(),
                                    fs::absolute(options.folder).lexically_normal().filename().string(),
                                    options.seed),
              .shape = PictureQueue::shape(format),
              .count = std::ssize(chosen)});
  PictureQueue queue(format, sink);
  for (const int64_t number : chosen) {
    const fs::path& path = pictures[static_cast<size_t>(number)];
    const auto label = std::distance(classes.begin(), classes.find(class_of(path)));
    queue.add({.name = (options.folder / path).string(),
               .bytes = read_file(options.folder / path),
               .label = label,
               .number = static_cast<uint64_t>(number)});
  }
  queue.finish();
}

}  // namespace ebm
