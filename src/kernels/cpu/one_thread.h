// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

namespace ebm::cpu {

/// oneDNN asks OpenMP how many threads it may use: one, while this lives.
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(threads_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_ = omp_get_max_threads();
};

}  // namespace ebm::cpu
