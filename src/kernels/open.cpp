// SPDX-License-Identifier: MIT
// From the name of a device to its Kernels. The CUDA half is found and opened here, at run time.
#include <dlfcn.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "kernels/cpu/cpu_kernels.h"
#include "kernels/cuda/interface.h"
#include "kernels/kernels.h"
#include "kernels/library_search.h"

namespace ebm {

namespace {

constexpr const char* library_name = "libebm_cuda.so";
constexpr const char* library_variable = "EBM_CUDA_LIBRARY";

/// The library that the user names, which then answers for itself: the driver is not asked first.
std::optional<std::string> library_of_the_user() {
  const char* path = std::getenv(library_variable);
  if (path == nullptr || *path == '\0') return std::nullopt;
  return path;
}

std::string dl_reason() {
  const char* reason = dlerror();
  return reason != nullptr ? reason : "no reason given";
}

/// N of "cuda:N"; 0 for "cuda"; nothing for another name.
std::optional<int> cuda_ordinal(const std::string& device) {
  if (device == "cuda") return 0;
  constexpr std::string_view prefix = "cuda:";
  if (!device.starts_with(prefix)) return std::nullopt;
  int ordinal = 0;
  const char* const end = device.data() + device.size();
  const auto [stop, error] = std::from_chars(device.data() + prefix.size(), end, ordinal);
  if (error != std::errc() || stop != end || ordinal < 0) return std::nullopt;
  return ordinal;
}

std::unique_ptr<Kernels> open_cuda(const cuda::GpuChoice& choice) {
  if (!library_of_the_user()) {
    const DriverAnswer driver = ask_cuda_driver();
    if (driver.devices == 0) {
      throw Error("cuda was asked for, but " + driver.why_none +
                  "; use --device cpu, or a machine with an NVIDIA GPU and its driver");
    }
    if (choice.by == cuda::GpuChoice::By::number && choice.number >= driver.devices) {
      throw Error("there is no device " + to_string(choice) + ": the driver offers " +
                  std::to_string(driver.devices) + ", counted from cuda:0");
    }
  }
  return open_cuda_library(find_cuda_library(), choice);
}

std::unique_ptr<Kernels> open_auto() {
  if (!gpu_answers()) return make_cpu_kernels();
  try {
    return open_cuda(0);
  } catch (const Error& error) {
    // There is a GPU, and the user would wonder why it idles.
    std::fprintf(stderr, "note: the GPU is not used: %s\n", error.what());
    return make_cpu_kernels();
  }
}

}  // namespace

DriverAnswer ask_cuda_driver() {
  // The driver stays open: the CUDA half will want it, and closing it again is what breaks in practice.
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return {.why_none = "there is no NVIDIA driver here (" + dl_reason() + ")"};
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto count_devices = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDeviceGetCount"));
  if (initialise == nullptr || count_devices == nullptr) {
    return {.why_none = "the NVIDIA driver's libcuda.so.1 is broken (it lacks cuInit or cuDeviceGetCount)"};
  }
  int devices = 0;
  int status = initialise(0);
  if (status == 0) status = count_devices(&devices);
  if (status != 0) {
    constexpr int no_device = 100;  // CUDA_ERROR_NO_DEVICE
    return {.why_none = status == no_device ? "the NVIDIA driver finds no GPU"
                                            : "the NVIDIA driver does not start (CUDA error " +
                                                  std::to_string(status) + "; nvidia-smi may say more)"};
  }
  if (devices <= 0) return {.why_none = "the NVIDIA driver finds no GPU"};
  return {.devices = devices, .why_none = {}};
}

std::string find_cuda_library() {
  return find_own_library(library_name, library_variable,
                          "build it with `make` where nvcc is installed, or name it in " +
                              std::string(library_variable) + ", or use --device cpu");
}

std::string cuda::to_string(const GpuChoice& choice) {
  const std::string number = std::to_string(choice.number);
  return choice.by == GpuChoice::By::number ? "cuda:" + number
                                            : "the GPU of process " + number + " of the node";
}

std::unique_ptr<Kernels> open_cuda_library(const std::string& path, const cuda::GpuChoice& choice) {
  const OpenedLibrary library = open_library(path);
  if (library.handle == nullptr) {
    throw Error("the CUDA half cannot be opened (" + library.reason +
                "); put the CUDA libraries that it was built with on LD_LIBRARY_PATH, or use --device cpu");
  }
  const auto open = reinterpret_cast<cuda::OpenFunction*>(dlsym(library.handle, cuda::entry_point));
  if (open == nullptr) throw Error(path + " is no CUDA half of this program: it has no " + cuda::entry_point);
  std::array<char, 1024> message{};
  std::unique_ptr<Kernels> kernels(
      open(cuda::interface_version().c_str(), choice, message.data(), message.size()));
  if (kernels == nullptr) throw Error(to_string(choice) + " cannot be used: " + message.data());
  return kernels;
}

bool gpu_answers() {
  return library_of_the_user() || ask_cuda_driver().devices > 0;
}

std::string why_no_ranks_on_gpus() {
  if (library_of_the_user()) return "";
  if (const DriverAnswer driver = ask_cuda_driver(); driver.devices == 0) return driver.why_none;
  try {
    find_cuda_library();
  } catch (const Error& error) {
    return error.what();
  }
  const OpenedLibrary opened = open_library(collective_library);
  return opened.handle != nullptr ? "" : no_collective_library(opened.reason);
}

std::unique_ptr<Kernels> open_gpu_of_place(int64_t place) {
  return open_cuda({static_cast<int>(place), cuda::GpuChoice::By::place});
}

std::string describe_cuda_half() {
  std::string text = "CUDA half: ";
  try {
    const std::string path = find_cuda_library();
    const OpenedLibrary library = open_library(path);
    const OpenedLibrary convolutions = open_library(convolution_library);
    text += path + (library.handle == nullptr ? " (" + library.reason + ")" : "") + "\n";
    const OpenedLibrary collectives = open_library(collective_library);
    if (convolutions.handle == nullptr) text += "no convolutions on a GPU: " + convolutions.reason + "\n";
    if (collectives.handle == nullptr) text += "not several GPUs: " + collectives.reason + "\n";
    for (const std::string& file : opened_cuda_libraries()) {
      if (file != path) text += "  " + file + "\n";
    }
  } catch (const Error& error) {
    text += std::string(error.what()) + "\n";
  }
  const DriverAnswer driver = ask_cuda_driver();
  return text + "GPUs: " + (driver.devices > 0 ? std::to_string(driver.devices) : driver.why_none) + "\n";
}

std::unique_ptr<Kernels> open_kernels(const std::string& device) {
  if (device == "cpu") return make_cpu_kernels();
  if (device == "auto") return open_auto();
  if (const auto ordinal = cuda_ordinal(device)) return open_cuda(*ordinal);
  throw UsageError("unknown device \"" + device + "\": use auto, cpu, cuda or cuda:N");
}

}  // namespace ebm
