// SPDX-License-Identifier: MIT
#include "support/file_server.h"

#include <chrono>
#include <fstream>
#include <thread>

namespace ebm::test {

namespace {

std::vector<std::string> command(const std::filesystem::path& folder,
                                 const std::vector<std::string>& options) {
  std::vector<std::string> words{"/usr/bin/env", "python3", "tests/data/file_server.py"};
  for (const char* name : {"official", "log", "port"}) words.push_back((folder / name).string());
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

}  // namespace

FileServer::FileServer(const std::filesystem::path& folder, const std::vector<std::string>& options)
    : process_(command(folder, options)) {
  for (int tries = 0; tries < 1000 && port_.empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::ifstream(folder / "port") >> port_;
  }
  std::filesystem::remove(folder / "port");
}

}  // namespace ebm::test
