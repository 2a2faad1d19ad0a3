// SPDX-License-Identifier: MIT
// Command lines of small runs, which end within a moment.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "support/process.h"

namespace ebm::test {

using Words = std::vector<std::string>;

/// `words` and then `more`.
inline Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline bool names(const Words& words, const char* option) {
  return std::find(words.begin(), words.end(), option) != words.end();
}

/// toy_bb with a small network into the folder `out`, in the paper's words unless `more` names a preset.
inline Words small_toy_command(const std::string& out, const Words& more = {}) {
  Words words{program_path("toy_bb"), "--device", "cpu",           "--hidden", "8",     "--batch", "10",
              "--eval-grid",          "20",       "--eval-points", "100",      "--out", out};
  if (!names(more, "--preset")) words = joined(words, {"--preset", "paper"});
  return joined(words, more);
}

/// mnist_bb likewise, on images that `more` names.
inline Words small_mnist_command(const std::string& out, const Words& more = {}) {
  return joined({program_path("mnist_bb"), "--device", "cpu", "--latent", "3", "--batch", "4", "--width",
                 "16", "--grid", "2", "--hinge", "0", "--out", out},
                more);
}

/// An experiment on images, cifar10_bb say, likewise; on images of shapes unless `more` names others.
inline Words small_images_command(const std::string& program, const std::string& method,
                                  const std::string& out, const Words& more = {}) {
  const Words shapes{"--synthetic", "--shape-samples", "20"};
  return joined(joined({program_path(program), "--device", "cpu", "--method", method, "--batch", "4",
                        "--latent", "3", "--width", "2", "--grid", "2", "--out", out},
                       names(more, "--data") ? Words() : shapes),
                more);
}

}  // namespace ebm::test
