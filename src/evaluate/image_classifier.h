// SPDX-License-Identifier: MIT
// A classifier of images: its training, its file, its answers (models/image_classifier.h).
#pragma once

#include <filesystem>
#include <functional>

#include "data/image_file.h"
#include "io/hdf5_file.h"
#include "train/learner.h"

namespace ebm {

struct ClassifierOptions {
  int64_t epochs = 15, batch = 64, seed = 1;
  double lr = 3e-3;  ///< of Adam at first; it falls linearly to 0
};

/// Whether dropout is off, or drawn anew for each image, as in the public code that counts MEG's modes.
enum class ClassifierMode { evaluated, live_dropout };

/// What the names of a classifier's arrays in its file begin with.
inline constexpr const char* classifier_arrays = "classifier/";
/// A classifier's file, open, and the images that it is of. Throw Error when it is none.
Hdf5File open_classifier(const std::filesystem::path& path);
Features classifier_input(const Hdf5File& file);

class ImageClassifier {
 public:
  /// Untrained, of such images. `kernels` must outlive it. Throws Error for those that there is none of.
  ImageClassifier(Kernels& kernels, const Features& images, const ClassifierOptions& options);
  /// That of a file which save() wrote. Throws Error when it is none.
  static ImageClassifier open(Kernels& kernels, const std::filesystem::path& path);

  /// Adam on the cross entropy, over all images of `train` in a new order each epoch. After each it measures the
  /// share of `test` that is classified rightly, and keeps the parameters with the best: that share is
  /// accuracy(). `progress` is told the steps done and all steps, and may throw to end it. Throws Error on
  /// images of another shape, labels outside 0 .. 9 and numbers that are not finite.
  void train(const ImageFile& train, const ImageFile& test, const ClassifierOptions& options,
             const std::function<void(int64_t done, int64_t steps)>& progress);

  double accuracy() const { return accuracy_; }
  /// Replaces the file at `path`, whole or not at all, with what it was trained on.
  void save(const std::filesystem::path& path, const ClassifierOptions& options,
            const std::string& data_checksum) const;

  /// Of an image.
  const Features& input() const { return x_.features(); }
  /// The class of each image of `images`, N x H x W x C in [0, 1].
  std::vector<int64_t> classes_of(const std::vector<float>& images, ClassifierMode mode);

 private:
  void make(const ClassifierOptions& options, int64_t steps);
  double share_right(const std::vector<uint8_t>& images, const std::vector<int64_t>& labels);

  int64_t chunk_;  // images at a time; live dropout hangs on it
  Kernels* kernels_;
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<Trace> evaluated_, live_;
  Tensor x_, logits_;  // of a chunk
  double accuracy_ = 0;
};

}  // namespace ebm
