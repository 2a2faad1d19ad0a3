// SPDX-License-Identifier: MIT
#include "core/node.h"

#include <unistd.h>

#include <array>
#include <fstream>

namespace ebm {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string node_identity() {
  std::string identity;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  if (std::getline(file, identity) && !identity.empty()) return identity;
  return host_name();
}

}  // namespace ebm
