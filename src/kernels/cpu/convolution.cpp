// SPDX-License-Identifier: MIT
// A pass is cut into a piece of the images for each thread. Each piece of a weight's gradient is summed on
// its own, then the pieces are added in order: so the bits of a gradient depend on the number of threads, as
// they do with oneDNN's own threads, and on nothing else. (Fewer images in a piece would cost: each piece
// reads or writes the whole weight, and Winograd transforms it.)
#include "kernels/cpu/convolution.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "kernels/cpu/block.h"
#include "kernels/cpu/convolution_piece.h"
#include "kernels/cpu/narrow_convolution.h"
#include "kernels/cpu/one_thread.h"
#include "kernels/cpu/winograd.h"

namespace ebm::cpu {

namespace {

/// threads.run for f that may throw dnnl::error.
template <class F>
void run_checked(Threads& threads, int64_t parts, const F& f) {
  std::atomic<dnnl_status_t> status = dnnl_success;
  threads.run(parts, [&](int64_t part) {
    try {
      f(part);
    } catch (const dnnl::error& error) {
      status = error.status;
    }
  });
  if (status != dnnl_success) throw dnnl::error(status, "a part of it failed");
}

/// Memory of the host that only grows.
class HostMemory {
 public:
  std::byte* of_at_least(size_t bytes) {
    if (bytes > bytes_) {
      std::free(data_);
      data_ = static_cast<std::byte*>(std::aligned_alloc(64, bytes));
      bytes_ = data_ != nullptr ? bytes : 0;
      if (data_ == nullptr) throw dnnl::error(dnnl_out_of_memory, "no memory left; use a smaller batch");
    }
    return data_;
  }
  HostMemory() = default;
  ~HostMemory() { std::free(data_); }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

/// A piece for each thread, if that is worth waking it.
int64_t piece_count(const ConvolutionShape& shape, int64_t threads) {
  constexpr int64_t least_work = 1'000'000;  // multiply-adds: 20 us
  const int64_t work =
      shape.rows * shape.output().size() * shape.kernel.height * shape.kernel.width * shape.input.channels;
  return std::clamp<int64_t>(std::min(shape.rows, work / least_work), 1, std::min(threads, max_parts));
}

/// One pass of one shape.
class Prepared {
 public:
  Prepared(Pass pass, const ConvolutionShape& shape, Write mode, int64_t pieces, const dnnl::engine& engine);
  size_t workspace_bytes() const { return workspace_.bytes(); }
  void run(Threads& threads, float* x, float* weight, float* y, std::byte* workspace);

 private:
  /// A blocked format of the weight. All pieces share one, but for odd pieces, if oneDNN chooses another
  /// there.
  struct Format {
    dnnl::memory::desc blocked;
    WeightConversion conversion;
    std::vector<size_t> places;  // one that all pieces read, or one for each piece that writes
  };
  struct Part {
    int64_t first_row;
    Piece piece;
    size_t format, weight_place;
  };

  void add_part(int64_t first_row, int64_t last_row, Write mode, const dnnl::engine& engine);
  size_t format_of(const Piece& piece, Write mode, const dnnl::engine& engine);
  void add_gradients(Threads& threads, const Format& format, std::byte* workspace) const;

  Pass pass_;
  ConvolutionShape shape_;
  Layout workspace_;
  std::vector<Format> formats_;
  std::vector<Part> parts_;
};

Prepared::Prepared(Pass pass, const ConvolutionShape& shape, Write mode, int64_t pieces,
                   const dnnl::engine& engine)
    : pass_(pass), shape_(shape) {
  for (int64_t i = 0; i < pieces; ++i) {
    add_part(shape.rows * i / pieces, shape.rows * (i + 1) / pieces, mode, engine);
  }
}

void Prepared::add_part(int64_t first_row, int64_t last_row, Write mode, const dnnl::engine& engine) {
  ConvolutionShape rows = shape_;
  rows.rows = last_row - first_row;
  Piece piece(pass_, rows, engine, workspace_);
  const size_t index = format_of(piece, mode, engine);
  Format& format = formats_[index];
  if (pass_ == Pass::backward_weight || format.places.empty()) {
    format.places.push_back(workspace_.place(format.blocked.get_size()));
  }
  parts_.push_back({first_row, std::move(piece), index, format.places.back()});
}

size_t Prepared::format_of(const Piece& piece, Write mode, const dnnl::engine& engine) {
  const dnnl::memory::desc blocked = piece.weight_format();
  const auto found = std::find_if(formats_.begin(), formats_.end(),
                                  [&](const Format& format) { return format.blocked == blocked; });
  if (found != formats_.end()) return static_cast<size_t>(found - formats_.begin());
  using Kind = WeightConversion::Kind;
  const Kind back =
      mode == Write::overwrite && formats_.empty() ? Kind::from_blocked : Kind::added_from_blocked;
  const Kind kind = pass_ == Pass::backward_weight ? back : Kind::to_blocked;
  formats_.push_back({blocked, WeightConversion(kind, shape_, blocked, engine), {}});
  return formats_.size() - 1;
}

/// The sum of the pieces' gradients, in the place of the first.
void Prepared::add_gradients(Threads& threads, const Format& format, std::byte* workspace) const {
  const auto gradient = [&](size_t piece) {
    return reinterpret_cast<float*>(workspace + format.places[piece]);
  };
  const int64_t size = static_cast<int64_t>(format.blocked.get_size() / sizeof(float));
  const int64_t parts = format.places.size() > 1 ? max_parts : 0;
  threads.run(parts, [&](int64_t part) {
    const int64_t first = size * part / parts, last = size * (part + 1) / parts;
    float* const sum = gradient(0);
    for (size_t piece = 1; piece < format.places.size(); ++piece) {
      const float* const more = gradient(piece);
      for (int64_t i = first; i < last; ++i) sum[i] += more[i];
    }
  });
}

void Prepared::run(Threads& threads, float* x, float* weight, float* y, std::byte* workspace) {
  const auto convert_weight = [&](Format& format) {
    run_checked(threads, format.conversion.slices(), [&](int64_t slice) {
      format.conversion.run(slice, weight, workspace + format.places.front());
    });
  };
  if (pass_ != Pass::backward_weight) std::for_each(formats_.begin(), formats_.end(), convert_weight);
  run_checked(threads, std::ssize(parts_), [&](int64_t i) {
    Part& part = parts_[static_cast<size_t>(i)];
    part.piece.run(x + part.first_row * shape_.input.size(), workspace + part.weight_place,
                   y + part.first_row * shape_.output().size(), workspace);
  });
  if (pass_ != Pass::backward_weight) return;
  for (Format& format : formats_) {
    add_gradients(threads, format, workspace);
    convert_weight(format);
  }
}

using Key = std::array<int64_t, 13>;
Key key_of(Pass pass, const ConvolutionShape& s, Write mode) {
  return {static_cast<int64_t>(pass),
          static_cast<int64_t>(mode),
          s.rows,
          s.input.height,
          s.input.width,
          s.input.channels,
          s.output_channels,
          s.kernel.height,
          s.kernel.width,
          s.stride.height,
          s.stride.width,
          s.padding.height,
          s.padding.width};
}

}  // namespace

struct Convolutions::Cache {
  Cache(Threads& threads, Products& products)
      : threads(threads), narrow(threads, products), winograd(threads, products) {}

  void run(Pass pass, const ConvolutionShape& shape, const float* x, const float* weight, const float* y,
           Write mode = Write::overwrite) {
    // oneDNN's memory objects know no const; only the array that the pass computes is written.
    run(pass, shape, const_cast<float*>(x), const_cast<float*>(weight), const_cast<float*>(y), mode);
  }

  void run(Pass pass, const ConvolutionShape& shape, float* x, float* weight, float* y, Write mode) try {
    if (NarrowConvolution::suits(pass, shape)) {
      std::byte* const p = workspace.of_at_least(NarrowConvolution::workspace_bytes(pass, shape));
      return narrow.run(pass, shape, x, weight, y, mode, reinterpret_cast<float*>(p));
    }
    if (WinogradConvolution::suits(shape)) {
      std::byte* const p = workspace.of_at_least(WinogradConvolution::workspace_bytes(shape));
      return winograd.run(pass, shape, x, weight, y, mode, reinterpret_cast<float*>(p));
    }
    const OneThread guard;
    const Key key = key_of(pass, shape, mode);
    auto found = prepared.find(key);
    if (found == prepared.end()) {
      const int64_t pieces = piece_count(shape, threads.count());
      found = prepared.try_emplace(key, pass, shape, mode, pieces, engine).first;
    }
    found->second.run(threads, x, weight, y, workspace.of_at_least(found->second.workspace_bytes()));
  } catch (const dnnl::error& error) {
    throw Error("oneDNN refused a convolution of " + to_string(shape) + ": " + error.what());
  }

  Threads& threads;
  NarrowConvolution narrow;
  WinogradConvolution winograd;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::map<Key, Prepared> prepared;
  HostMemory workspace;
};

Convolutions::Convolutions(Threads& threads, Products& products)
    : cache_(std::make_unique<Cache>(threads, products)) {}
Convolutions::~Convolutions() = default;

void Convolutions::run(const ConvolutionForward& pass) {
  cache_->run(Pass::forward, pass.shape, floats(pass.x), floats(pass.weight), floats(pass.y));
}

void Convolutions::run(const ConvolutionBackwardData& pass) {
  cache_->run(Pass::backward_data, pass.shape, floats(pass.x_bar), floats(pass.weight), floats(pass.y_bar));
}

void Convolutions::run(const ConvolutionBackwardWeight& pass) {
  cache_->run(Pass::backward_weight, pass.shape, floats(pass.x), pass.weight_bar, floats(pass.y_bar),
              pass.mode);
}

}  // namespace ebm::cpu
