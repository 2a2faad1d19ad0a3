// SPDX-License-Identifier: MIT
// The types of streams and graphs that the real headers only name, and what a capture records.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "emulated.h"

/// A node by its place in the graph, and what it waits for.
struct CUgraphNode_st {
  ebm::emulated::Work work;
  ebm::emulated::NodeKind kind;
  std::vector<size_t> after;
  ebm::emulated::Ready ready;
};
struct CUgraph_st {
  std::deque<CUgraphNode_st> nodes;  // each behind those that it waits for
};
struct CUgraphExec_st {
  CUgraph_st graph;
};

namespace ebm::emulated {

using Nodes = std::vector<size_t>;

/// One capture, of the stream that began it and of those that joined it by waiting for its events.
struct Capture {
  CUgraph_st graph;
  cudaStream_t origin;
  std::thread::id recorder;
  bool spoilt = false;
};

/// The streams of the capture go back to queueing.
void leave_capture(const std::shared_ptr<Capture>& capture);

/// Whether who waits for `last` waits for `node` too.
bool is_before(const CUgraph_st& graph, size_t node, const Nodes& last);

/// What `stream` records next waits for these nodes; it joins their capture.
cudaError_t wait_in_capture(CUstream_st& stream, const std::shared_ptr<Capture>& capture, const Nodes& nodes);

}  // namespace ebm::emulated

struct CUstream_st {
  struct Piece {
    ebm::emulated::Work work;
    ebm::emulated::Ready ready;  // none: at once
  };
  int device;
  std::deque<Piece> queued;
  uint64_t queued_ever = 0, run_ever = 0;
  std::shared_ptr<ebm::emulated::Capture> capture;  // not null: being captured
  ebm::emulated::Nodes last;                        // of the capture: what the next node waits for
  ebm::emulated::Tf32 tf32;
};
