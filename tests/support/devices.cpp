// SPDX-License-Identifier: MIT
#include "support/devices.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>

#include "kernels/cuda/interface.h"
#include "support/environment.h"
#include "support/files.h"

namespace ebm::test {

namespace {

/// Opens and closes every device once.
std::map<std::string, std::string> probe() {
  std::map<std::string, std::string> reasons;
  for (const std::string name : {"cpu", "emulated", "cuda"}) {
    try {
      open_device(name);
      reasons[name] = "";
    } catch (const Error& error) {
      reasons[name] = error.what();
    }
  }
  return reasons;
}

bool is_word_of(const std::string& word, const std::string& text) {
  std::istringstream words(text);
  return std::find(std::istream_iterator<std::string>(words), {}, word) !=
         std::istream_iterator<std::string>();
}

/// Once a process: on a GPU the question opens CUDA, cuDNN and the plans' arena.
bool has_convolutions(const std::string& name) {
  static std::map<std::string, bool> known;
  const auto [answer, is_new] = known.try_emplace(name, false);
  if (!is_new) return answer->second;
  const auto kernels = open_device(name);
  const Buffer<float> numbers(*kernels, 3);
  try {
    kernels->convolve(
        ConvolutionForward{.shape = {.rows = 1, .input = flat(1), .output_channels = 1, .kernel = square(1)},
                           .x = numbers.data(),
                           .weight = numbers.data() + 1,
                           .y = numbers.data() + 2});
    kernels->synchronize();
    return answer->second = true;
  } catch (const Error&) {
    return false;
  }
}

constexpr const char* tf32_variable = "NVIDIA_TF32_OVERRIDE";

/// Whether a product of Precision::tf32x3 can be had there at all. Once a process.
bool has_tf32x3(const std::string& name) {
  static std::map<std::string, bool> known;
  const auto [answer, is_new] = known.try_emplace(name, false);
  if (!is_new) return answer->second;
  try {
    const auto kernels = open_device(name);
    const Buffer<float> a(*kernels, std::vector<float>(16, 1)), c(*kernels, 16);
    kernels->gemm({.m = 4,
                   .n = 4,
                   .inner = 4,
                   .a = a.data(),
                   .b = a.data(),
                   .c = c.data(),
                   .precision = Precision::tf32x3});
    return answer->second = c.download()[0] == 4;
  } catch (const Error&) {
    return false;
  }
}

bool is_wanted(const std::string& name) {
  const char* wanted = std::getenv("EBM_TEST_DEVICES");
  return wanted == nullptr || *wanted == '\0' || is_word_of(name, wanted);
}

/// A GPU's libraries were told to use TF32 before anybody could have asked them for anything, and do.
bool gpu_uses_tf32() {
  const char* const override = std::getenv(tf32_variable);
  if (override == nullptr || override != std::string("1") || !why_missing("cuda").empty()) return false;
  constexpr int64_t n = 256;  // large enough for tensor cores
  const auto kernels = open_device("cuda");
  const std::vector<float> thirds(n * n, 1.0f / 3);
  const Buffer<float> a(*kernels, thirds), c(*kernels, n * n);
  kernels->gemm({.m = n,
                 .n = n,
                 .inner = n,
                 .a = a.data(),
                 .b = a.data(),
                 .c = c.data(),
                 .precision = Precision::training});
  const double exact = n * double{thirds[0]} * double{thirds[0]};
  return std::abs(c.download()[0] / exact - 1) > 1e-5;
}

}  // namespace

std::string emulated_library() {
  if (const char* path = std::getenv("EBM_EMULATED_CUDA_LIBRARY"); path != nullptr && *path != '\0')
    return path;
  return (program_folder() / "../lib/libebm_cuda_emulated.so").lexically_normal().string();
}

std::unique_ptr<Kernels> open_device(const std::string& name) {
  if (name == "emulated_tf32") {  // the emulation reads the environment when a device is opened
    const Environment allowed(tf32_variable, "1");
    return open_device("emulated");
  }
  if (name == "cuda_tf32") return open_kernels("cuda");
  setenv(tf32_variable, "0", /*overwrite=*/0);
  if (name != "emulated") return open_kernels(name);
  if (!std::filesystem::exists(emulated_library())) {
    throw Error("there is no " + emulated_library() +
                ": it is built where the CUDA toolkit's headers and Boost.Context are");
  }
  return open_cuda_library(emulated_library(), 0);
}

std::string why_missing(const std::string& name) {
  static const std::map<std::string, std::string> reasons = probe();
  const auto found = reasons.find(name);
  return found != reasons.end() ? found->second : "no such device: " + name;
}

std::vector<std::string> devices() {
  std::vector<std::string> answering;
  for (const std::string name : {"cpu", "emulated", "cuda"})
    if (is_wanted(name) && why_missing(name).empty()) answering.push_back(name);
  return answering;
}

std::vector<std::string> devices_with_tf32() {
  static const bool on_gpu = gpu_uses_tf32();
  std::vector<std::string> names;
  if (is_wanted("emulated") && why_missing("emulated").empty()) names.emplace_back("emulated_tf32");
  if (is_wanted("cuda") && on_gpu) names.emplace_back("cuda_tf32");
  return names;
}

std::vector<std::string> cpu_and_devices_with_tf32() {
  std::vector<std::string> names = devices_with_tf32();
  if (is_wanted("cpu")) names.emplace_back("cpu");
  return names;
}

std::vector<std::string> with_tf32x3(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return !has_tf32x3(name); });
  return names;
}

std::vector<std::string> with_convolutions(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return !has_convolutions(name); });
  return names;
}

}  // namespace ebm::test
