// SPDX-License-Identifier: MIT
#include "support/script_tree.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/files.h"

namespace ebm::test {

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

fs::path script_path(const std::string& name) {
  return golden_folder() / "../../scripts" / name;
}

std::string why_no_scripts() {
  if (!fs::exists(script_path("gpu_check"))) return "scripts/ is not here";
  if (run_command({"/bin/sh", "-c", "command -v python3"}).status != 0) return "there is no python3";
  return "";
}

ScriptTree::ScriptTree(const std::string& name) : root_(fs::path(testing::TempDir()) / name) {
  fs::remove_all(root_);
  for (const char* folder : {"bin", "lib", "scripts", "tests/devices"})
    fs::create_directories(root_ / folder);
}

void ScriptTree::copy_script(const std::string& name) const {
  fs::copy_file(script_path(name), root_ / "scripts" / name);
}

void ScriptTree::plant(const std::string& name, const std::string& lines) const {
  const fs::path file = root_ / "bin" / name;
  std::ofstream(file) << "#!/bin/sh\n" << lines;
  fs::permissions(file, fs::perms::owner_all);
}

std::string ScriptTree::content(const std::string& relative) const {
  return text_of(root_ / relative);
}

bool ScriptTree::appears(const std::string& relative) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (content(relative).empty()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

bool process_runs(const std::string& number) {
  const std::string stat = text_of("/proc/" + std::to_string(std::stoi(number)) + "/stat");
  const size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end, 4) != ") Z ";
}

}  // namespace ebm::test
