// SPDX-License-Identifier: MIT
// cuBLAS: the checks of its manual, and a plain product. TF32, where a product may use it (`rounds_to_tf32`),
// rounds the factors as a tensor core does.
#include <cublas_v2.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "emulated.h"

using namespace ebm::emulated;

struct cublasContext {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

namespace {

cublasStatus_t refuse(cublasStatus_t status, const char* call, const char* why) {
  std::fprintf(stderr, "emulated CUDA refuses %s: %s\n", call, why);
  return status;
}

size_t size_of(cudaDataType type) {
  return type == CUDA_R_16BF ? 2 : 4;
}

/// The mode without its flags.
cublasMath_t mode_of(cublasMath_t math) {
  return static_cast<cublasMath_t>(math & 0xF);
}

/// Does a product of float32 read factors of TF32? A real cuBLAS may where it is allowed; this one always
/// does, and where it is asked to it does so whatever the environment says, as some handles of cuBLAS 13.1.0 do
/// (bench/results/h200.md). What is pedantic never does.
bool rounds_to_tf32(const cublasContext& handle, cublasComputeType_t compute) {
  const Tf32 environment = tf32_of(handle.stream);
  const auto mode = mode_of(handle.math);
  const bool forbidden = compute == CUBLAS_COMPUTE_32F_PEDANTIC || mode == CUBLAS_PEDANTIC_MATH;
  if (forbidden) return false;
  const bool asked = compute == CUBLAS_COMPUTE_32F_FAST_TF32 || mode == CUBLAS_TF32_TENSOR_OP_MATH;
  return asked || environment == Tf32::unless_forbidden;
}

/// A matrix stored by columns, `rows` x `columns`, as it lies in memory.
struct Stored {
  const void* data;
  cudaDataType type;
  int64_t rows, columns, leading_dimension;

  size_t bytes() const {
    if (rows == 0 || columns == 0) return 0;
    return static_cast<size_t>((columns - 1) * leading_dimension + rows) * size_of(type);
  }
  float at(int64_t row, int64_t column) const {
    const int64_t i = row + column * leading_dimension;
    return type == CUDA_R_16BF ? from_bfloat16(static_cast<const uint16_t*>(data)[i])
                               : static_cast<const float*>(data)[i];
  }
};

void put(const Stored& to, int64_t row, int64_t column, float value) {
  const int64_t i = row + column * to.leading_dimension;
  void* const data = const_cast<void*>(to.data);
  if (to.type == CUDA_R_16BF) {
    static_cast<uint16_t*>(data)[i] = to_bfloat16(value);
  } else {
    static_cast<float*>(data)[i] = value;
  }
}

void require_matrix(const Stored& m, const char* name) {
  if (reinterpret_cast<uintptr_t>(m.data) % size_of(m.type) != 0)
    violation("cublas gemm: %s is not aligned", name);
  if (m.bytes() > 0 && !inside_allocation(m.data, m.bytes())) {
    violation(
        "cublas gemm: %s (%lld x %lld, leading dimension %lld) does not lie inside one allocation of device "
        "memory",
        name, static_cast<long long>(m.rows), static_cast<long long>(m.columns),
        static_cast<long long>(m.leading_dimension));
  }
}

bool overlap(const Stored& a, const Stored& b) {
  const auto x = reinterpret_cast<uintptr_t>(a.data), y = reinterpret_cast<uintptr_t>(b.data);
  return x < y + b.bytes() && y < x + a.bytes();
}

/// op(stored), dense, column after column.
std::vector<float> packed(const Stored& s, bool transposed, bool tf32) {
  const int64_t rows = transposed ? s.columns : s.rows, columns = transposed ? s.rows : s.columns;
  std::vector<float> dense(static_cast<size_t>(rows * columns));
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) {
      const float x = transposed ? s.at(c, r) : s.at(r, c);
      dense[static_cast<size_t>(c * rows + r)] = tf32 ? to_tf32(x) : x;
    }
  }
  return dense;
}

}  // namespace

namespace ebm::emulated {

float to_tf32(float x) {  // to nearest even
  const auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7F800000) == 0x7F800000) return x;
  return std::bit_cast<float>((bits + 0x0FFF + (bits >> 13 & 1)) & ~uint32_t{0x1FFF});
}

uint16_t to_bfloat16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float from_bfloat16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

}  // namespace ebm::emulated

namespace {

/// c = alpha op(a) op(b) + beta c, checked as the manual says and queued.
cublasStatus_t product(const char* call, cublasHandle_t handle, cublasOperation_t transpose_a,
                       cublasOperation_t transpose_b, int m, int n, int k, const void* alpha_pointer,
                       const void* a, int lda, const void* b, int ldb, cudaDataType factors,
                       const void* beta_pointer, void* c, int ldc, cudaDataType result,
                       cublasComputeType_t compute) {
  const Lock lock(device_mutex());
  const auto wrong = [&](const char* why) { return refuse(CUBLAS_STATUS_INVALID_VALUE, call, why); };
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (handle->stream == nullptr)
    return wrong("the handle has no stream: the default stream is not for use here");
  if (m < 0 || n < 0 || k < 0) return wrong("a negative size");
  const bool a_transposed = transpose_a == CUBLAS_OP_T, b_transposed = transpose_b == CUBLAS_OP_T;
  if ((!a_transposed && transpose_a != CUBLAS_OP_N) || (!b_transposed && transpose_b != CUBLAS_OP_N))
    return wrong("an operation other than N and T");
  if (lda < std::max(1, a_transposed ? k : m)) return wrong("lda is less than a's rows");
  if (ldb < std::max(1, b_transposed ? n : k)) return wrong("ldb is less than b's rows");
  if (ldc < std::max(1, m)) return wrong("ldc is less than c's rows");
  if (alpha_pointer == nullptr || beta_pointer == nullptr) return wrong("alpha or beta is null");
  if (touches_device(alpha_pointer, sizeof(float)) || touches_device(beta_pointer, sizeof(float))) {
    violation("cublas gemm: alpha and beta are host pointers in the handle's pointer mode");
  }
  const Stored left = a_transposed ? Stored{a, factors, k, m, lda} : Stored{a, factors, m, k, lda};
  const Stored right = b_transposed ? Stored{b, factors, n, k, ldb} : Stored{b, factors, k, n, ldb};
  const Stored out{c, result, m, n, ldc};
  require_matrix(left, "a");
  require_matrix(right, "b");
  require_matrix(out, "c");
  if (overlap(left, out) || overlap(right, out)) violation("cublas gemm: c overlaps a or b");
  if (is_capturing(handle->stream) && handle->workspace == nullptr) {
    return refuse(CUBLAS_STATUS_NOT_INITIALIZED, call,
                  "captured without cublasSetWorkspace after cublasSetStream: cuBLAS would allocate");
  }
  const bool tf32 = factors == CUDA_R_32F && rounds_to_tf32(*handle, compute);
  const float alpha = *static_cast<const float*>(alpha_pointer),
              beta = *static_cast<const float*>(beta_pointer);
  queue(handle->stream,
        [=] {
          const std::vector<float> columns_of_a = packed(left, a_transposed, tf32);
          const std::vector<float> columns_of_b = packed(right, b_transposed, tf32);
          std::vector<float> sum(static_cast<size_t>(m));
          for (int64_t j = 0; j < n; ++j) {
            std::fill(sum.begin(), sum.end(), 0.0f);
            for (int64_t l = 0; l < k; ++l) {
              const float factor = columns_of_b[static_cast<size_t>(j * k + l)];
              const float* const column = columns_of_a.data() + l * m;
              for (int64_t i = 0; i < m; ++i) sum[static_cast<size_t>(i)] += factor * column[i];
            }
            for (int64_t i = 0; i < m; ++i) {
              const float value = alpha * sum[static_cast<size_t>(i)];
              put(out, i, j, beta == 0 ? value : value + beta * out.at(i, j));  // beta 0: c is not read
            }
          }
        },
        {.type = cudaGraphNodeTypeKernel});
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  const Lock lock(device_mutex());
  if (refuse_in_capture("cublasCreate") != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_stream(stream))
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "cublasSetStream", "there is no such stream");
  handle->stream = stream;
  handle->workspace = nullptr;  // the manual: the workspace is reset to the library's own
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cublasSetWorkspace";
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, call, "it is not aligned to 256 bytes");
  if (!inside_allocation(workspace, bytes))
    violation("cublasSetWorkspace: it does not lie inside one allocation of device memory");
  handle->workspace = workspace;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const cublasMath_t plain = mode_of(mode);
  if (plain != CUBLAS_DEFAULT_MATH && plain != CUBLAS_PEDANTIC_MATH && plain != CUBLAS_TF32_TENSOR_OP_MATH)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "cublasSetMathMode", "the mode is not emulated");
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    default:
      return "a status that is not emulated";
  }
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transpose_a,
                              cublasOperation_t transpose_b, int m, int n, int k, const float* alpha,
                              const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                              int ldc) {
  return product("cublasSgemm", handle, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, CUDA_R_32F,
                 beta, c, ldc, CUDA_R_32F, CUBLAS_COMPUTE_32F);
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transpose_a,
                            cublasOperation_t transpose_b, int m, int n, int k, const void* alpha,
                            const void* a, cudaDataType type_a, int lda, const void* b, cudaDataType type_b,
                            int ldb, const void* beta, void* c, cudaDataType type_c, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
  const bool of_bfloat16 = type_a == CUDA_R_16BF && (type_c == CUDA_R_16BF || type_c == CUDA_R_32F) &&
                           compute == CUBLAS_COMPUTE_32F;
  const bool of_float32 = type_a == CUDA_R_32F && type_c == CUDA_R_32F &&
                          (compute == CUBLAS_COMPUTE_32F || compute == CUBLAS_COMPUTE_32F_PEDANTIC ||
                           compute == CUBLAS_COMPUTE_32F_FAST_TF32);
  const bool known = type_a == type_b && (of_bfloat16 || of_float32) && algorithm == CUBLAS_GEMM_DEFAULT;
  if (!known) return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "cublasGemmEx", "these types are not emulated");
  return product("cublasGemmEx", handle, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, type_a,
                 beta, c, ldc, type_c, compute);
}

}  // extern "C"
