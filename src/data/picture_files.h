// SPDX-License-Identifier: MIT
#pragma once
// Which pictures lie under a folder, by the rules of torchvision's ImageFolder: the folder's sub-directories
// are the classes, in alphabetical order (of the names' bytes), and a picture anywhere under one of them has
// its number as label. Links to directories are followed. Unlike there, hidden names and __MACOSX are left
// out, a link back to a folder above it is not followed, and where no class has a picture those of the folder
// itself are taken, with label 0.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ebm {

struct PictureFile {
  std::filesystem::path path;  ///< relative to the folder
  int64_t label = 0;
};

struct PictureFiles {
  /// In alphabetical order of the paths. Regular files, or links to what is not there.
  std::vector<PictureFile> pictures;
  /// How many files of which endings, hidden names and the like are not among them; "" when there are none.
  std::string left_out;
};

/// Throws Error when a folder cannot be read or there is no picture. Opens no file.
PictureFiles find_pictures(const std::filesystem::path& folder);

}  // namespace ebm
