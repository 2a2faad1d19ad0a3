// SPDX-License-Identifier: MIT
// Memory of a device, and arrays that own a piece of it.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/view.h"

namespace ebm {

/// Memory of one device. Work on a device is queued in order; only download and synchronize wait for it.
class Memory {
 public:
  virtual ~Memory() = default;

  /// A block of `bytes` bytes (64-byte aligned), zeroed. Throws Error when the device has no more.
  void* allocate(int64_t bytes) {
    ++allocations_;
    allocated_bytes_ += bytes;
    return do_allocate(bytes);
  }
  virtual void deallocate(void* block) noexcept = 0;

  /// Copies host -> device / device -> host and waits until the copy is done.
  virtual void upload(void* device, const void* host, int64_t bytes) = 0;
  virtual void download(void* host, const void* device, int64_t bytes) = 0;
  /// Queued on the device: copy device -> device (no overlap), fill with zero bytes.
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;
  virtual void zero(void* device, int64_t bytes) = 0;
  /// Waits for all queued work.
  virtual void synchronize() = 0;

  /// How many blocks were ever allocated: a training iteration must not change it.
  int64_t allocations() const { return allocations_; }
  int64_t allocated_bytes() const { return allocated_bytes_; }

 protected:
  virtual void* do_allocate(int64_t bytes) = 0;

 private:
  int64_t allocations_ = 0;
  int64_t allocated_bytes_ = 0;
};

/// An owned array of `size` elements of device memory, zeroed when made. Move-only.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Memory& memory, int64_t size)
      : memory_(&memory),
        data_(size > 0 ? static_cast<T*>(memory.allocate(size * bytes_each)) : nullptr),
        size_(size) {}
  Buffer(Memory& memory, std::span<const T> values) : Buffer(memory, static_cast<int64_t>(values.size())) {
    upload(values);
  }
  ~Buffer() { release(); }

  Buffer(Buffer&& other) noexcept
      : memory_(other.memory_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      memory_ = other.memory_;
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() const { return data_; }
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Host copies (waiting). Throws Error if the sizes differ.
  void upload(std::span<const T> values) {
    if (static_cast<int64_t>(values.size()) != size_) {
      throw Error("upload of " + std::to_string(values.size()) + " values into a buffer of " +
                  std::to_string(size_));
    }
    if (size_ > 0) memory_->upload(data_, values.data(), size_ * bytes_each);
  }
  std::vector<T> download() const {
    std::vector<T> values(static_cast<size_t>(size_));
    if (size_ > 0) memory_->download(values.data(), data_, size_ * bytes_each);
    return values;
  }

 private:
  static constexpr int64_t bytes_each = static_cast<int64_t>(sizeof(T));
  void release() noexcept {
    if (data_ != nullptr) memory_->deallocate(data_);
    data_ = nullptr;
  }

  Memory* memory_ = nullptr;
  T* data_ = nullptr;
  int64_t size_ = 0;
};

/// An owned rows x features array on a device.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Memory& memory, int64_t rows, const Features& features, Type type = Type::float32)
      : buffer_(memory, floats_of(rows * features.size(), type)),
        rows_(rows),
        features_(features),
        type_(type) {}

  View view() const { return {buffer_.data(), rows_, features_, type_}; }
  operator View() const { return view(); }
  operator ConstView() const { return view(); }
  View row_range(int64_t first, int64_t count) const { return view().row_range(first, count); }

  float* data() const { return buffer_.data(); }
  int64_t rows() const { return rows_; }
  int64_t columns() const { return features_.size(); }
  int64_t size() const { return rows_ * features_.size(); }
  bool empty() const { return buffer_.empty(); }
  const Features& features() const { return features_; }

  /// Of float32 alone.
  void upload(std::span<const float> values) { buffer_.upload(values); }
  std::vector<float> download() const { return buffer_.download(); }

 private:
  Buffer<float> buffer_;
  int64_t rows_ = 0;
  Features features_;
  Type type_ = Type::float32;
};

/// The values of a view of float32, on the host (waits).
inline std::vector<float> download(Memory& memory, ConstView view) {
  std::vector<float> values(static_cast<size_t>(view.size()));
  memory.download(values.data(), view.data, view.size() * static_cast<int64_t>(sizeof(float)));
  return values;
}

}  // namespace ebm
