// SPDX-License-Identifier: MIT
// Batches of images: which image the n-th draw of a run is, and pixels as numbers in [-1, 1].
//
// Draw n = iteration * (images of an iteration) + place in it belongs to epoch n / N of a data set of N
// images and is at position n % N of it. Each epoch is its own permutation of the images, a function of
// (seed, epoch) that can be asked for any position by itself: no state, so a resumed run, another device and
// other numbers of ranks draw the same.
#pragma once

#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// A hash of 64 bits: each bit of x changes each bit of the result with probability near 1/2 (SplitMix64's
/// finaliser).
EBM_HD inline uint64_t mix_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// A random permutation of 0 .. count - 1, one position at a time: a Feistel network on the numbers below the
/// next power of two. Each round is a bijection (it adds, bit by bit, a hash of one half of the number to the
/// other half), and a result that is not below `count` is mapped again until it is: still a bijection, after
/// fewer than 2 turns on average.
struct Permutation {
  uint64_t key;
  int64_t count;

  EBM_HD int64_t operator()(int64_t position) const {
    int bits = 1;
    while ((int64_t{1} << bits) < count) ++bits;
    const int low_bits = (bits + 1) / 2;
    const uint64_t low_mask = (uint64_t{1} << low_bits) - 1;
    const uint64_t high_mask = (uint64_t{1} << (bits - low_bits)) - 1;
    auto x = static_cast<uint64_t>(position);
    do {
      uint64_t low = x & low_mask, high = x >> low_bits;
      constexpr uint64_t rounds = 6;
      for (uint64_t round = 0; round < rounds; ++round) {
        high ^= mix_bits(key + ((2 * round) << 48) + low) & high_mask;
        low ^= mix_bits(key + ((2 * round + 1) << 48) + high) & low_mask;
      }
      x = (high << low_bits) | low;
    } while (x >= static_cast<uint64_t>(count));
    return static_cast<int64_t>(x);
  }
};

/// Which image draw n is, and whether it is mirrored.
struct ImageOrder {
  uint64_t seed;
  int64_t count;

  EBM_HD int64_t image(uint64_t draw) const {
    const auto size = static_cast<uint64_t>(count);
    const uint64_t epoch = draw / size;
    return Permutation{mix_bits(mix_bits(seed) + epoch), count}(static_cast<int64_t>(draw - epoch * size));
  }
  EBM_HD bool is_mirrored(uint64_t draw) const { return (mix_bits(mix_bits(~seed) + draw) & 1) != 0; }
};

enum class Flips { none, horizontal };

/// The images of an iteration: picks[b] = {index of the image, or -1 if there is none; 1 if it is mirrored}.
struct PickImages {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 1;  // one task an image
  ImageOrder order;
  Flips flips;
  RankRows share;
  int64_t draws;  // of an iteration, by all ranks
  const uint64_t* iteration;
  const uint64_t* staged;  // the images already lie in the order of the rows, for iteration *staged; or null
  int64_t* picks;          // rows x 2

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(iteration, 1);
    uses.reads(staged, 1);
    uses.writes(picks, 2 * rows);
  }

  EBM_HD void operator()(int64_t row, int64_t) const {
    const uint64_t draw =
        *iteration * static_cast<uint64_t>(draws) + static_cast<uint64_t>(share.in_batch(row));
    int64_t image = row;
    if (staged == nullptr) {
      image = order.image(draw);
    } else if (*staged != *iteration) {
      image = -1;
    }
    picks[2 * row] = image;
    picks[2 * row + 1] = flips == Flips::horizontal && order.is_mirrored(draw) ? 1 : 0;
  }
};

/// x[b, h, w, c] = 2 pixel / 255 - 1 of image picks[b], mirrored left to right where asked for. A pick that
/// is missing gives NaN, so that no training goes on with it.
struct ImageBatch {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows;     // batch * height: one line of pixels each
  int64_t columns;  // width * channels
  int64_t height, width, channels;
  const uint8_t* images;  // N x height x columns
  const int64_t* picks;   // batch x 2
  float* x;               // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.gathers(images, rows * columns);
    uses.reads(picks, 2 * (rows / height));
    uses.writes(x, rows * columns);
  }

  EBM_HD void operator()(int64_t line, int64_t column) const {
    // 32 bits: these divisions are made for each pixel
    const uint32_t b = static_cast<uint32_t>(line) / static_cast<uint32_t>(height);
    const int64_t image = picks[2 * int64_t{b}];
    int64_t from = column;
    if (picks[2 * int64_t{b} + 1] != 0) {
      const uint32_t w = static_cast<uint32_t>(column) / static_cast<uint32_t>(channels);
      from = (width - 1 - 2 * int64_t{w}) * channels + column;
    }
    const int64_t row = image * height + line - int64_t{b} * height;
    x[line * columns + column] =
        image < 0 ? NAN : static_cast<float>(2 * images[row * columns + from] - 255) / 255.0f;
  }
};

}  // namespace ebm
