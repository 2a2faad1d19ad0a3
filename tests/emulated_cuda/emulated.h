// SPDX-License-Identifier: MIT
// A GPU that is this CPU, for tests: the CUDA half's own sources, compiled by g++, linked to these stand-ins
// for the calls that they make. It shows what a wrong kernel or call does; it cannot show speed, real memory
// ordering between warps and blocks, or the vendor kernels' rounding.
//
// - A block's threads are fibers: each runs to the next barrier before any goes past it, in an order shuffled
//   by EBM_EMULATED_SEED (default 1; 0: the natural order). So are the blocks of a grid.
// - Branches of a graph that do not wait for one another run in an order that differs from launch to launch.
// - A stream's work waits until somebody waits for it (or frees memory, or is a rank that waits for this one's part of
//   an operation of NCCL's): early reads on the host see old values.
// - Device memory may be touched only while queued work runs: else the program ends with a message. New
//   memory is NaN.
// - What the manuals forbid, in general or during stream capture, is refused with the status that they name,
//   and with the reason on stderr; what they call undefined (out of bounds, a barrier that not all threads
//   reach) ends the program.
// - There are EBM_EMULATED_GPUS devices (default 1), of which CUDA_VISIBLE_DEVICES may choose; they share their memory.
//   NCCL's operations are for ranks that are threads of this process or processes of this machine.
// - Where TF32 may be used it is, as far as the environment allowed it when the stream was made (enum Tf32):
// so
//   devices with and without it live side by side.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace ebm::emulated {

using Work = std::function<void()>;
/// Whether a piece of work may run: none, or one that other ranks have come to as well.
using Ready = std::function<bool()>;

/// Ends the program: the CUDA half did what is undefined on a GPU.
[[noreturn, gnu::format(printf, 1, 2)]] void violation(const char* format, ...);

/// Says on stderr why a call is refused, and returns `status`.
cudaError_t refuse(cudaError_t status, const char* call, const char* why);

/// Held by every call: the emulated device does one thing at a time.
std::recursive_mutex& device_mutex();
using Lock = std::lock_guard<std::recursive_mutex>;

// block.cpp

/// __syncthreads.
void block_barrier();
/// A number below n: another one each time, 0 in the natural order (EBM_EMULATED_SEED).
uint64_t random_below(uint64_t n);
/// Runs `thread` once for every thread of the grid.
void run_grid(dim3 grid, dim3 block, const Work& thread);
/// A grid that may start before the one before it has ended: ends the program unless all of its threads wait for that.
void run_early_grid(dim3 grid, dim3 block, const Work& thread);
void wait_for_grid();

// device.cpp

int current_device();

// memory.cpp

/// Device memory is readable and writable while one of these lives.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

/// Is any byte of the block device memory? / Do all its bytes lie in one allocation?
bool touches_device(const void* block, size_t bytes);
bool inside_allocation(const void* block, size_t bytes);
bool inside_pinned(const void* block, size_t bytes);
/// Ends the program if somebody wrote past the end of an allocation.
void check_red_zones();
constexpr size_t device_bytes = size_t{16} << 30;

// blas.cpp

/// x with the 10 bits of mantissa that a tensor core reads.
float to_tf32(float x);
/// The nearest bfloat16, even in ties, as its bits; a NaN stays one.
uint16_t to_bfloat16(float x);
float from_bfloat16(uint16_t bits);

// stream.cpp

/// What NVIDIA_TF32_OVERRIDE says of float32 products: 0, unset, 1.
enum class Tf32 { never, where_asked, unless_forbidden };
Tf32 tf32_of(cudaStream_t stream);
cudaError_t queue_kernel(const cudaLaunchConfig_t& config, Work thread);
/// From now on graphs say cudaMemcpyDefault of all their copies, as some drivers do, or no longer.
void plant_default_copies(bool planted);
/// From now on the device is one that the library has no code for, or no longer.
void plant_no_code(bool planted);
/// What a graph says about a node of it.
struct NodeKind {
  cudaGraphNodeType type = cudaGraphNodeTypeKernel;
  cudaMemcpyKind copy = cudaMemcpyDefault;
  void* to = nullptr;  // of a copy
  void* from = nullptr;
};
/// Queues (or records, if the stream is being captured) work that needs device memory, and waits until it is ready.
void queue(cudaStream_t stream, Work work, NodeKind kind, Ready ready = {});
bool is_stream(cudaStream_t stream);
bool is_capturing(cudaStream_t stream);
cudaError_t require_stream(cudaStream_t stream, const char* call);
int device_of(cudaStream_t stream);
/// Runs what is queued on the device's streams as far as it is ready; whether that was all.
bool advance_streams(int device);
/// Runs what is queued on the streams of this thread's device, as `call` waits for it.
void run_all_streams(const char* call);
/// Asks `done`, under the device's lock, until it is so. Who waits for other ranks in vain ends the program.
void await(const char* call, const std::function<bool()>& done);
/// For calls that allocate or wait: if this thread captures a stream, that capture is spoilt, and the status
/// says so.
cudaError_t refuse_in_capture(const char* call);

}  // namespace ebm::emulated
