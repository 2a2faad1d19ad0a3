// SPDX-License-Identifier: MIT
// What Convolutions is made of: a convolution of some images on one thread, and weights that change their
// format.
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "kernels/kernels.h"

namespace ebm::cpu {

using Pass = ConvolutionPass;

/// Places in a block of memory that does not exist yet.
class Layout {
 public:
  /// An offset, a multiple of 64.
  size_t place(size_t bytes) {
    const size_t offset = bytes_;
    bytes_ += (bytes + 63) / 64 * 64;
    return offset;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

/// A batch of images: NHWC, and in the format of a primitive where that is another one.
class Images {
 public:
  enum class Role { input, output };

  Images() = default;
  Images(const dnnl::memory::desc& nhwc, const dnnl::memory::desc& wanted, Role role,
         const dnnl::engine& engine, Layout& workspace);

  const dnnl::memory& wanted() const { return wanted_; }
  void point_to(float* images, std::byte* workspace);
  /// Before the primitive for an input, behind it for an output.
  void convert(dnnl::stream& stream);

 private:
  dnnl::memory nhwc_, wanted_;
  dnnl::reorder reorder_;  // empty if the formats are the same
  Role role_ = Role::input;
  size_t place_ = 0;
};

/// One pass over some images on one thread, with the formats that oneDNN wants for it.
class Piece {
 public:
  /// Throws dnnl::error.
  Piece(Pass pass, const ConvolutionShape& shape, const dnnl::engine& engine, Layout& workspace);

  /// The blocked format in which the weight is read or written.
  dnnl::memory::desc weight_format() const { return weight_.get_desc(); }
  /// x, y: this piece's images, NHWC. Throws dnnl::error.
  void run(float* x, void* weight, float* y, std::byte* workspace);

 private:
  Pass pass_;
  dnnl::stream stream_;
  dnnl::primitive primitive_;
  Images x_, y_;
  dnnl::memory weight_, scratchpad_;
  size_t scratchpad_place_ = 0;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// Brings a weight from its OHWI master into a blocked format, or a gradient back, in slices of output
/// channels for threads to share.
class WeightConversion {
 public:
  enum class Kind { to_blocked, from_blocked, added_from_blocked };

  /// Throws dnnl::error.
  WeightConversion(Kind kind, const ConvolutionShape& shape, const dnnl::memory::desc& blocked,
                   const dnnl::engine& engine);

  int64_t slices() const { return static_cast<int64_t>(slices_.size()); }
  /// Throws dnnl::error.
  void run(int64_t slice, float* ohwi, void* blocked);

 private:
  struct Slice {
    dnnl::stream stream;
    dnnl::memory ohwi, blocked;
    dnnl::reorder reorder;
  };
  Kind kind_;
  std::vector<Slice> slices_;
};

}  // namespace ebm::cpu
