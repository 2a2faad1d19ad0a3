// SPDX-License-Identifier: MIT
#pragma once
// Files that are there either in full or not at all, whatever happens: a full disk, an exception, kill -9,
// power loss.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace ebm {

/// Has `writer` write the temporary file TARGET.tmp in the same folder, fsyncs it, renames it to `target` and
/// fsyncs the folder. When the writer throws, or anything else fails, the temporary is removed and a `target`
/// that was there stays as it was. A signal that would end the program waits until that is done
/// (io/signals.h; in a long writing a StopRequest is asked). One writer per target at a time; a temporary
/// that a killed writer left is replaced. Throws what the writer throws, and Error naming the file and the
/// remedy (full disk, missing or read-only folder).
void write_atomically(const std::filesystem::path& target,
                      const std::function<void(const std::filesystem::path& temporary)>& writer);

/// The end of write_atomically, for a temporary that is written in some other way: fsyncs it, renames it to
/// `target` in the same folder and fsyncs the folder. Throws Error.
void move_into_place(const std::filesystem::path& temporary, const std::filesystem::path& target);

/// write_atomically of the given content.
void write_file(const std::filesystem::path& target, std::string_view text);
void write_file(const std::filesystem::path& target, std::span<const uint8_t> bytes);

/// The whole content of a file. Throws Error when it cannot be read.
[[nodiscard]] std::vector<uint8_t> read_file(const std::filesystem::path& path);

/// The regular files of `folder` whose names are `prefix`, a decimal number and `suffix`, by ascending
/// number. Empty when there is no such folder. Throws Error when the folder cannot be read.
[[nodiscard]] std::vector<std::filesystem::path> numbered_files(const std::filesystem::path& folder,
                                                                std::string_view prefix,
                                                                std::string_view suffix);

/// Removes all of numbered_files(folder, prefix, suffix) but the `count` >= 1 of the highest numbers, and
/// temporaries (*.tmp) of such names that killed writers left. Throws Error.
void keep_newest(const std::filesystem::path& folder, std::string_view prefix, std::string_view suffix,
                 int64_t count);

}  // namespace ebm
