// SPDX-License-Identifier: MIT
// Other programs: run to their end, or beside this one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/environment.h"

namespace ebm {

/// The folder that this program lies in, links followed.
[[nodiscard]] std::filesystem::path program_folder();

struct ChildEnd {
  int status = 0;        ///< exit status; 128 + signal if a signal ended it
  std::string out, err;  ///< what it wrote to stdout, if that was taken, and to stderr

  /// Why it failed: the last line of stderr, or "status 3".
  [[nodiscard]] std::string reason() const;
};

/// What becomes of a child's stdout: it goes where this program's goes, or into ChildEnd::out.
enum class ChildOut { inherited, taken };

/// Runs words[0] with the other words as its arguments. It gets SIGTERM when this program ends first. Throws Error
/// when it cannot be started.
ChildEnd run_child(std::vector<std::string> words, ChildOut out = ChildOut::inherited);

/// The same beside this program.
class ChildProcess {
 public:
  /// `environment` replaces variables of this program's; stdout and stderr are appended to the file `log`. Throws
  /// Error.
  ChildProcess(std::vector<std::string> words, const std::vector<NameValue>& environment,
               const std::filesystem::path& log);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // SIGTERM, and waits for its end

  /// As ChildEnd::status, once it has ended. Does not wait.
  std::optional<int> status();
  /// SIGTERM.
  void ask_to_stop() const;

 private:
  pid_t pid_;                  // -1: moved from
  std::optional<int> status_;  // once it was waited for
};

}  // namespace ebm
