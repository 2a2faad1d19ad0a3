// SPDX-License-Identifier: MIT
#include "evaluate/real_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "core/fnv.h"
#include "io/atomic_file.h"
#include "io/hdf5_file.h"

namespace ebm {

namespace {

/// What tells one entry of the cache from another.
struct Key {
  std::string name;  // of the data and their split, for people
  std::string images, features;
  int64_t count, dim;

  std::filesystem::path path(const std::filesystem::path& cache) const {
    const std::string text = images + " " + features;
    return cache / fmt::format("{}-{}-{}.h5", name, count,
                               fnv1a({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
  }
};

template <class T>
std::vector<T> read_numbers(const Hdf5File& file, const char* name, const std::vector<int64_t>& shape) {
  Hdf5Array<T> array = file.read_dataset<T>(name);
  const bool finite =
      std::all_of(array.values.begin(), array.values.end(), [](T x) { return std::isfinite(x); });
  if (array.dims != shape || !finite)
    throw Error(file.path().string() + ": '" + name + "' is not what was written");
  return std::move(array.values);
}

/// Nothing where the file is another's or has no features that are wanted. Throws Error on a damaged one.
std::optional<RealStatistics> read_entry(const std::filesystem::path& path, const Key& key,
                                         RealContent content) {
  const Hdf5File file = Hdf5File::open_read(path);
  const bool same = file.read_attribute<std::string>("/", "images") == key.images &&
                    file.read_attribute<std::string>("/", "features") == key.features &&
                    file.read_attribute<int64_t>("/", "count") == key.count;
  if (!same || (content == RealContent::features && !file.has("features"))) return std::nullopt;
  RealStatistics found{.moments = {read_numbers<double>(file, "mean", {key.dim}),
                                   read_numbers<double>(file, "covariance", {key.dim, key.dim})},
                       .set = {.dim = key.dim, .features = {}, .logits = {}}};
  if (content == RealContent::features)
    found.set.features = read_numbers<float>(file, "features", {key.count, key.dim});
  return found;
}

std::optional<RealStatistics> cached(const std::filesystem::path& path, const Key& key, RealContent content) {
  if (std::error_code ignored; !std::filesystem::exists(path, ignored)) return std::nullopt;
  try {
    return read_entry(path, key, content);
  } catch (const Error& error) {
    std::fprintf(stderr, "note: %s; it is made anew\n", error.what());
    return std::nullopt;
  }
}

void keep(const std::filesystem::path& path, const Key& key, const RealStatistics& found) {
  try {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    write_atomically(path, [&](const std::filesystem::path& temporary) {
      Hdf5File file = Hdf5File::create(temporary);
      file.write_attribute("/", "images", key.images);
      file.write_attribute("/", "features", key.features);
      file.write_attribute("/", "count", key.count);
      file.write_dataset("mean", std::span<const double>(found.moments.mean), {key.dim});
      file.write_dataset("covariance", std::span<const double>(found.moments.covariance), {key.dim, key.dim});
      if (!found.set.features.empty())
        file.write_dataset("features", std::span<const float>(found.set.features), {key.count, key.dim});
      file.close();
    });
  } catch (const Error& error) {
    std::fprintf(stderr, "note: %s; what was computed of %s is not kept\n", error.what(), key.name.c_str());
  }
}

}  // namespace

RealStatistics real_statistics(ImageFeatures& features, const ImageFile& file, int64_t count,
                               RealContent content, const std::filesystem::path& cache, const Told& told) {
  const Key key{.name = file.info().name + "-" + to_string(file.info().split),
                .images = file.checksum(),
                .features = features.name(),
                .count = count,
                .dim = features.features()};
  const std::filesystem::path path = key.path(cache);
  if (auto found = cached(path, key, content)) return std::move(*found);
  RealStatistics made{.moments = {}, .set = features_of_file(features, file, count, told)};
  MomentAccumulator moments(key.dim);
  moments.add(made.set.rows());
  made.moments = moments.moments();
  made.set.logits = {};
  if (content == RealContent::moments) made.set.features = {};
  keep(path, key, made);
  return made;
}

}  // namespace ebm
