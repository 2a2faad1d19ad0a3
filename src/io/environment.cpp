// SPDX-License-Identifier: MIT
#include "io/environment.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <fstream>
#include <string_view>

#include "core/node.h"

#ifndef EBM_VERSION
#define EBM_VERSION "unknown"
#endif
#ifndef EBM_BUILD_FLAGS
#define EBM_BUILD_FLAGS "unknown"
#endif

namespace ebm {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const auto start = line.find_first_not_of(" \t", line.find(':') + 1);
    if (start != std::string::npos) return line.substr(start);
  }
  return "unknown";
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  char text[32] = {};
  if (gmtime_r(&now, &utc) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
    return "unknown";
  }
  return text;
}

// The argument as a POSIX shell would have to be given it.
std::string quoted(std::string_view argument) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_-./=:,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), plain)) return std::string(argument);
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted(word);
  return line;
}

std::string version() {
  return EBM_VERSION;
}

std::vector<NameValue> environment(int argc, const char* const* argv, int threads) {
  return {{"version", version()},
          {"compiler", "g++ " __VERSION__},
          {"build_flags", EBM_BUILD_FLAGS},
          {"hdf5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE)},
          {"host", host_name().empty() ? "unknown" : host_name()},
          {"cpu", cpu_model()},
          {"threads", fmt::format("{}", threads)},
          {"date", date()},
          {"command_line", command_line({argv, argv + argc})}};
}

}  // namespace ebm
