// SPDX-License-Identifier: MIT
#include "support/system_calls.h"

#include <fstream>

#include "support/files.h"

namespace ebm::test {

namespace {

std::filesystem::path library() {
  return program_folder() / "../lib/libebm_test_preload.so";
}

}  // namespace

bool can_intercept_system_calls() {
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return exists(library());
#endif
}

std::vector<std::string> intercepted(const std::vector<std::string>& command, const SystemFaults& faults,
                                     const std::filesystem::path& log,
                                     const std::vector<std::string>& environment) {
  std::vector<std::string> words{"/usr/bin/env", "LD_PRELOAD=" + library().string()};
  const auto set = [&](const std::string& name, const std::string& value) {
    words.push_back("EBM_TEST_" + name + "=" + value);
  };
  if (faults.flock_error != 0) set("FLOCK_ERROR", std::to_string(faults.flock_error));
  if (faults.read_error != 0) {
    set("READ_ERROR", std::to_string(faults.read_error));
    set("READ_ERROR_IN", faults.read_error_in);
  }
  if (!log.empty()) set("CALLS", log.string());
  words.insert(words.end(), environment.begin(), environment.end());
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

std::vector<SystemCall> read_system_calls(const std::filesystem::path& log) {
  std::vector<SystemCall> calls;
  std::ifstream file(log);
  std::string name, path, target;
  while (std::getline(file, name, '\t') && std::getline(file, path, '\t') && std::getline(file, target)) {
    calls.push_back({.name = name, .path = path, .target = target});
  }
  return calls;
}

}  // namespace ebm::test
