// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/library.h"

#include <dlfcn.h>

#include <array>

#include "core/error.h"
#include "kernels/library_search.h"

namespace ebm::cuda {

namespace {

std::string dl_reason() {
  const char* reason = dlerror();
  return reason != nullptr ? reason : "no reason given";
}

template <class Function>
void find(void* library, const std::string& file, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) {
    throw Error(file + " lacks " + name + " (" + dl_reason() + "); install cuDNN " +
                std::to_string(CUDNN_MAJOR) + "." + std::to_string(CUDNN_MINOR) +
                ", with which this was built, or use --device cpu");
  }
}

}  // namespace

void Cudnn::check(cudnnStatus_t status, const std::string& call) const {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> reason{};
  last_error_string(reason.data(), reason.size());
  throw Error(call + " failed: " + error_string(status) + " (" + reason.data() +
              "); this is a fault of the program, of cuDNN or of the driver; --device cpu avoids it");
}

std::string cudnn_file() {
  return "libcudnn.so." + std::to_string(CUDNN_MAJOR);
}

Cudnn open_cudnn(const std::string& file) {
  const auto [library, reason] = open_library(file);
  if (library == nullptr) {
    throw Error("convolutions on a GPU need cuDNN, which cannot be opened (" + reason + "); install cuDNN " +
                std::to_string(CUDNN_MAJOR) + ", put the folder of " + file +
                " on LD_LIBRARY_PATH, or use --device cpu");
  }
  Cudnn cudnn{};
  find(library, file, "cudnnGetVersion", cudnn.version);
  find(library, file, "cudnnCreate", cudnn.create);
  find(library, file, "cudnnDestroy", cudnn.destroy);
  find(library, file, "cudnnSetStream", cudnn.set_stream);
  find(library, file, "cudnnGetErrorString", cudnn.error_string);
  find(library, file, "cudnnGetLastErrorString", cudnn.last_error_string);
  find(library, file, "cudnnBackendCreateDescriptor", cudnn.create_descriptor);
  find(library, file, "cudnnBackendDestroyDescriptor", cudnn.destroy_descriptor);
  find(library, file, "cudnnBackendSetAttribute", cudnn.set_attribute);
  find(library, file, "cudnnBackendGetAttribute", cudnn.get_attribute);
  find(library, file, "cudnnBackendFinalize", cudnn.finalize);
  find(library, file, "cudnnBackendExecute", cudnn.execute);
  return cudnn;
}

CudnnHandle::CudnnHandle(cudaStream_t stream) {
  cudnn_.check(cudnn_.create(&handle_), "cudnnCreate");
  const cudnnStatus_t status = cudnn_.set_stream(handle_, stream);
  if (status != CUDNN_STATUS_SUCCESS) cudnn_.destroy(handle_);
  cudnn_.check(status, "cudnnSetStream");
}

}  // namespace ebm::cuda
