// SPDX-License-Identifier: MIT
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds
// on a 128-bit counter with a 64-bit key, and the Box-Muller transform as cuRAND does it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace ebm::reference {

/// Round: (c0, c1, c2, c3) <- (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)); then k +=
/// Weyl constants.
inline std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
    const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// Uniform in (0, 1) at the middle of the integer's interval: x 2^-32 + 2^-33.
inline double uniform_of(uint32_t x) {
  return std::ldexp(static_cast<double>(x), -32) + std::ldexp(1.0, -33);
}

/// Two independent N(0, 1): r sin(2 pi u1), r cos(2 pi u1) with r = sqrt(-2 log u0).
inline std::array<double, 2> box_muller(uint32_t x0, uint32_t x1) {
  const double radius = std::sqrt(-2 * std::log(uniform_of(x0)));
  const double angle = 2 * std::numbers::pi * uniform_of(x1);
  return {radius * std::sin(angle), radius * std::cos(angle)};
}

/// The four normals of one counter.
inline std::array<double, 4> philox_normals(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  const std::array<uint32_t, 4> bits = philox4x32_10(counter, key);
  const std::array<double, 2> first = box_muller(bits[0], bits[1]);
  const std::array<double, 2> second = box_muller(bits[2], bits[3]);
  return {first[0], first[1], second[0], second[1]};
}

}  // namespace ebm::reference
