// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/process.h"

namespace ebm::test {

/// tests/data/file_server.py: serves the files in FOLDER/official on a port of this machine, logs to FOLDER/log.
class FileServer {
 public:
  FileServer(const std::filesystem::path& folder, const std::vector<std::string>& options);
  std::string url() const { return "http://127.0.0.1:" + port_; }

 private:
  Process process_;
  std::string port_;
};

}  // namespace ebm::test
