// SPDX-License-Identifier: MIT
#include "support/devices.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>

#include "kernels/cuda/interface.h"
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

bool has_convolutions(const std::string& name) {
  const auto kernels = open_device(name);
  const Buffer<float> numbers(*kernels, 3);
  try {
    kernels->convolve(
        ConvolutionForward{.shape = {.rows = 1, .input = flat(1), .output_channels = 1, .kernel = square(1)},
                           .x = numbers.data(),
                           .weight = numbers.data() + 1,
                           .y = numbers.data() + 2});
    kernels->synchronize();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string emulated_library() {
  if (const char* path = std::getenv("EBM_EMULATED_CUDA_LIBRARY"); path != nullptr && *path != '\0')
    return path;
  return (program_folder() / "../lib/libebm_cuda_emulated.so").lexically_normal().string();
}

std::unique_ptr<Kernels> open_device(const std::string& name) {
  setenv("NVIDIA_TF32_OVERRIDE", "0", /*overwrite=*/0);
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
  const char* wanted = std::getenv("EBM_TEST_DEVICES");
  std::vector<std::string> answering;
  for (const std::string name : {"cpu", "emulated", "cuda"}) {
    const bool asked_for = wanted == nullptr || *wanted == '\0' || is_word_of(name, wanted);
    if (asked_for && why_missing(name).empty()) answering.push_back(name);
  }
  return answering;
}

std::vector<std::string> devices_with_convolutions() {
  std::vector<std::string> names = devices();
  std::erase_if(names, [](const std::string& name) { return !has_convolutions(name); });
  return names;
}

}  // namespace ebm::test
