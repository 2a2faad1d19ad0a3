// SPDX-License-Identifier: MIT
// Images as Inception takes them, 299 x 299 and about in [-1, 1]. Which way they are made larger or smaller
// moves a Frechet distance by more than most models differ (Parmar et al. 2022, arXiv:2104.11222), so there
// are three, by name:
//
//   tf            TensorFlow 1's bilinear resize, pixel j at j in / out (torch-fidelity); (x - 128) / 128
//   legacy_torch  PyTorch's F.interpolate, bilinear, align_corners=False (pytorch-fid, the authors' code); 2 x / 255 - 1
//   clean         Pillow's bicubic with antialiasing, on float32, cut to 0 ... 255 (clean-fid); (x - 128) / 128
//
// All three are separable: tables of taps (kernels/formulas/resize.h). No step rounds to bytes.
#pragma once

#include <string>

#include "kernels/kernels.h"

namespace ebm {

enum class Resize { tf, legacy_torch, clean };

/// The way of that name. Throws UsageError on another.
Resize resize_named(const std::string& name);
std::string to_string(Resize how);

/// For each of `size` new pixels of a line of `old_size` the first old one that it is made of, and the
/// weights.
struct TapTable {
  int64_t taps;
  std::vector<int32_t> first;  // size
  std::vector<float> weights;  // size x taps
};
TapTable tap_table(Resize how, int64_t old_size, int64_t size);

/// Resizes up to `batch` images at a time on a device.
class ImageResize {
 public:
  /// From images of bytes, H x W x 1 (repeated) or H x W x 3, to side x side x 3. Throws Error for others.
  ImageResize(Kernels& kernels, Resize how, const Features& image, int64_t side, int64_t batch);

  const Features& image() const { return image_; }
  /// y.rows images from `images`, on the host: waits until they are copied, allocates nothing.
  void run(const uint8_t* images, View y) const;
  /// The same of numbers from 0 to 255: the taps along the lines as a product with a matrix.
  void run(const float* images, View y) const;

 private:
  /// A table on the device.
  struct Table {
    Table(Kernels& kernels, const TapTable& table);
    Taps taps() const;
    int64_t count;
    Buffer<int32_t> first;
    Buffer<float> weights;
  };

  void run_down(View y) const;

  Kernels& kernels_;
  Features image_;
  float scale_, shift_;
  Table along_, down_;
  Buffer<uint8_t> images_;
  Buffer<float> numbers_, line_matrix_;  // images; (width C) x (side 3)
  Buffer<float> lines_;                  // batch x height of the images x side x 3
};

}  // namespace ebm
