// SPDX-License-Identifier: MIT
// Descriptions of GPUs, JSON: what cuDNN wants to know of one (tests/devices/), and what it can do at most.
#pragma once

#include <cstdint>
#include <string>

namespace ebm {

/// Of a GPU's data sheet; dense, without sparsity.
struct DeviceCeilings {
  std::string name;
  double fp32_flops;          ///< floating point operations a second in true float32
  double tf32_flops;          ///< in TF32 on tensor cores
  double bf16_flops;          ///< in bfloat16 on tensor cores
  double memory_bandwidth;    ///< bytes a second
  double link_bandwidth = 0;  ///< bytes a second each way to the other GPUs of a node; 0: not described
  int64_t processors = 0;     ///< multiprocessors (SMs); 0: not described
  double clock = 0;           ///< of these, cycles a second; 0: not described

  bool describes_processors() const { return processors > 0 && clock > 0; }
};

/// Throws Error when the file cannot be read, or does not say it all with numbers above 0.
DeviceCeilings read_device_file(const std::string& path);

}  // namespace ebm
