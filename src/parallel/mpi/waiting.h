// SPDX-License-Identifier: MIT
// Calls of MPI that are checked, and waiting that ends: with the request, with the word that another rank fails, or
// with the time.
#pragma once

#include <mpi.h>

#include <optional>
#include <string>

#include "core/error.h"

namespace ebm::mpi {

/// Throws Error, with what MPI says, unless the call of that name succeeded.
void check(int code, const char* call);

/// Where ranks tell each other that they fail, beside the data's way.
class FailureChannel {
 public:
  FailureChannel();

  /// Tells all other ranks, once. Waits for nothing.
  void tell(const Failure& failure);
  /// What a rank has told, if one has; the first that was heard.
  const std::optional<Failure>& heard();
  /// Throws it as an Error.
  void listen();
  MPI_Comm communicator() const { return communicator_; }

 private:
  MPI_Comm communicator_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  bool told_ = false;
  std::string sent_;
  std::optional<Failure> heard_;
};

/// Whether the request is done before `seconds` are over.
bool done_within(MPI_Request& request, double seconds);

/// Waits for a request of the call of that name. Throws Error when a rank tells that it fails, and after `seconds`.
void await(MPI_Request& request, const char* call, double seconds, FailureChannel& failures);

}  // namespace ebm::mpi
