// SPDX-License-Identifier: MIT
#include "data/picture_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "io/read_error.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

/// In lower case: ".jpg"; "" where there is none.
std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

/// Those of torchvision's IMG_EXTENSIONS that are decoded here, and another name of JPEG.
bool is_picture(const std::string& ending) {
  return ending == ".jpg" || ending == ".jpeg" || ending == ".jfif" || ending == ".png" || ending == ".webp";
}

/// Such as programs, not people, put between pictures: .ipynb_checkpoints, ._a.jpg.
bool is_hidden(const std::string& name) {
  return name.starts_with('.') || name == "__MACOSX";
}

/// How many of which kind: "3 .bmp, 1 .gif", the most frequent first.
class Tally {
 public:
  void add(const std::string& kind) { ++counts_[kind]; }
  void add_file(const std::string& ending) {
    constexpr size_t longest = 8;  // what is longer, or no word, is no ending but part of a name
    const bool usual =
        ending.size() > 1 && ending.size() <= longest &&
        std::all_of(ending.begin() + 1, ending.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    add(usual ? ending : "without an ending");
  }
  std::string text() const {
    constexpr size_t most = 8;
    std::vector<std::pair<int64_t, std::string>> kinds;
    for (const auto& [kind, count] : counts_) kinds.emplace_back(-count, kind);
    std::sort(kinds.begin(), kinds.end());
    std::string text;
    int64_t others = 0;
    for (size_t i = 0; i < kinds.size(); ++i) {
      const auto& [count, kind] = kinds[i];
      if (i < most) text += fmt::format("{}{} {}", i == 0 ? "" : ", ", -count, kind);
      if (i >= most) others -= count;
    }
    return others == 0 ? text : text + fmt::format(", {} others", others);
  }

 private:
  std::map<std::string, int64_t> counts_;
};

class Walk {
 public:
  explicit Walk(fs::path folder) : folder_(std::move(folder)) { enter(""); }

  PictureFiles result() {
    std::sort(classes_.begin(), classes_.end());
    const bool flat = std::none_of(paths_.begin(), paths_.end(), in_class);
    std::erase_if(paths_, [&](const fs::path& path) {
      const bool stray = !flat && !in_class(path);
      if (stray) left_out_.add("beside the class folders");
      return stray;
    });
    if (paths_.empty()) {
      const std::string others = left_out_.text();
      throw Error(fmt::format(
          "there is no .jpg, .jpeg, .jfif, .png or .webp under '{}'{}; unpack the data set there, or "
          "convert its pictures",
          folder_.string(), others.empty() ? "" : fmt::format(" (but {})", others)));
    }
    std::sort(paths_.begin(), paths_.end());
    PictureFiles files{.pictures = {}, .left_out = left_out_.text()};
    for (fs::path& path : paths_) {
      const int64_t label = flat ? 0 : number_of(path.begin()->string());
      files.pictures.push_back({.path = std::move(path), .label = label});
    }
    return files;
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  static bool in_class(const fs::path& path) { return path.has_parent_path(); }
  int64_t number_of(const std::string& name) const {
    return std::lower_bound(classes_.begin(), classes_.end(), name) - classes_.begin();
  }

  /// Goes through the folder of that path below the root.
  void enter(const fs::path& relative) {
    const fs::path path = relative.empty() ? folder_ : folder_ / relative;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) fail(path, errno);
    const Identity identity{status.st_dev, status.st_ino};
    if (std::find(above_.begin(), above_.end(), identity) != above_.end()) {
      return left_out_.add("linked back to a folder above");
    }
    above_.push_back(identity);
    std::error_code code;
    fs::directory_iterator entry(path, code);
    for (; !code && entry != fs::directory_iterator(); entry.increment(code)) see(*entry, relative);
    if (code) fail(path, code.value());
    above_.pop_back();
  }

  void see(const fs::directory_entry& entry, const fs::path& relative) {
    const fs::path name = entry.path().filename();
    if (is_hidden(name.string())) return left_out_.add("hidden");
    std::error_code code;  // a link to nothing is none of all kinds
    if (entry.is_directory(code)) {
      if (relative.empty()) classes_.push_back(name.string());
      return enter(relative / name);
    }
    const std::string ending = ending_of(name);
    const bool file = entry.is_regular_file(code), missing = !file && !entry.exists(code);
    if ((file || missing) && is_picture(ending)) return paths_.push_back(relative / name);
    if (file) return left_out_.add_file(ending);
    left_out_.add(missing ? "linked to nothing" : "neither file nor folder");
  }

  [[noreturn]] static void fail(const fs::path& path, int code) {
    throw read_error(path, code, "read the folder");
  }

  fs::path folder_;
  std::vector<Identity> above_;  // the folders that are being gone through
  std::vector<std::string> classes_;
  std::vector<fs::path> paths_;
  Tally left_out_;
};

}  // namespace

PictureFiles find_pictures(const fs::path& folder) {
  return Walk(folder).result();
}

}  // namespace ebm
