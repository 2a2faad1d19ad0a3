// SPDX-License-Identifier: MIT
// The door between a program and the CUDA half, which is a library of its own (libebm_cuda.so): linking
// cuBLAS costs every start 110 ms and 200 MB, so it is opened only when a GPU is wanted and answers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <typeinfo>

#include "kernels/kernels.h"

namespace ebm {

namespace cuda {

/// A GPU: by its number, from 0, among those that the process sees, or by the place of the process in its node, as
/// open_gpu_of_place has it.
struct GpuChoice {
  enum class By { number, place };
  GpuChoice(int number, By by = By::number) : number(number), by(by) {}
  int number;
  By by;
};
std::string to_string(const GpuChoice& choice);

/// The library's one symbol, extern "C". Opens a GPU, or returns null with the reason in `message`.
/// Both sides hand over their interface_version(); the library refuses another one.
using OpenFunction = Kernels*(const char* interface_version, const GpuChoice& choice, char* message,
                              size_t capacity);
inline constexpr const char* entry_point = "ebm_open_cuda";

template <class... F>
std::string sizes_of(const FormulaList<F...>&) {
  std::string text;
  ((text += " " + std::to_string(sizeof(F))), ...);
  return text;
}

/// Differs whenever program and library disagree on class Kernels: its formulas by name, order and size.
/// Raise the number when another virtual function of Kernels or an enumeration of theirs changes.
inline std::string interface_version() {
  return std::string("5 ") + typeid(Formulas).name() + sizes_of(Formulas{}) + " " +
         std::to_string(sizeof(Gemm)) + " " + std::to_string(sizeof(Noise));
}

}  // namespace cuda

/// Opens a GPU through the CUDA half at `path`. Throws Error saying why when it cannot be had.
std::unique_ptr<Kernels> open_cuda_library(const std::string& path, const cuda::GpuChoice& choice);

/// How many GPUs the NVIDIA driver offers (asked before any CUDA library is loaded); if none, why.
struct DriverAnswer {
  int devices = 0;
  std::string why_none;
};
DriverAnswer ask_cuda_driver();

/// The CUDA half's file: $EBM_CUDA_LIBRARY, or beside the running program. Throws Error naming the places
/// looked at.
std::string find_cuda_library();

}  // namespace ebm
