// SPDX-License-Identifier: MIT
#include "kernels/recorder/device_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace ebm {

namespace {

double positive(const nlohmann::json& description, const char* key, const std::string& path) {
  const auto found = description.find(key);
  if (found == description.end() || !found->is_number() || !(found->get<double>() > 0))
    throw Error(path + " has no number above 0 for \"" + key + "\"; add it from the GPU's data sheet");
  return found->get<double>();
}

}  // namespace

DeviceCeilings read_device_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error("cannot read " + path + "; give a description of a GPU as those in tests/devices");
  const auto description = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!description.is_object()) throw Error(path + " is no JSON object; give a description of a GPU");
  const auto name = description.find("deviceName");
  const auto if_described = [&](const char* key) {
    return description.contains(key) ? positive(description, key, path) : 0;
  };
  return {.name = name != description.end() && name->is_string() ? name->get<std::string>() : path,
          .fp32_flops = positive(description, "peakFp32FlopPerSecond", path),
          .tf32_flops = positive(description, "peakTf32FlopPerSecond", path),
          .bf16_flops = positive(description, "peakBf16FlopPerSecond", path),
          .memory_bandwidth = positive(description, "peakMemoryBytesPerSecond", path),
          .link_bandwidth = if_described("linkBytesPerSecond"),
          .processors = static_cast<int64_t>(if_described("multiProcessorCount")),
          .clock = 1e3 * if_described("smClockRateKHz")};
}

}  // namespace ebm
