// SPDX-License-Identifier: MIT
// Data sets that a program gets by itself on first use.
#pragma once

#include <filesystem>

namespace ebm {

/// Where `file`, FOLDER/NAME-SPLIT.h5 as prepare_data writes it, is missing: downloads the data set NAME
/// (data/fetch.sh of this program's repository or distribution) into FOLDER, prepares all its splits and says so on
/// stdout. One program at a time does so in a folder; others wait. Does
/// nothing where there is no data/fetch.sh. Throws Error, with the reason that fetch.sh or prepare_data gives,
/// when the file is not there in the end.
void provide_image_file(const std::filesystem::path& file);

}  // namespace ebm
