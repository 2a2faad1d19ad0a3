// SPDX-License-Identifier: MIT
// The first of so many ranks on kernels that compute nothing: what it asks of the others is recorded.
#pragma once

#include "kernels/recorder/recorder.h"
#include "parallel/communicator.h"

namespace ebm {

class RecordedRank final : public Communicator {
 public:
  RecordedRank(Recorder& recorder, int64_t size) : recorder_(recorder), size_(size) {}
  int64_t rank() const override { return 0; }
  int64_t size() const override { return size_; }

  void all_reduce(View values, Type travel) override {
    note("all_reduce", values.data, {Collective::Kind::all_reduce, values.bytes(), travel});
  }
  void all_gather(void* blocks, int64_t bytes) override {
    note("all_gather", blocks, {Collective::Kind::all_gather, size_ * bytes});
  }
  void broadcast(void*, int64_t) override { not_recorded("broadcast"); }
  int64_t max(int64_t) override { return not_recorded("agreement"); }

 private:
  void note(const char* name, void* array, const Collective& collective) {
    ArrayUses uses;
    uses.updates(static_cast<char*>(array), collective.bytes);
    recorder_.note(
        {.name = name, .kind = LaunchKind::collective, .arrays = uses.all(), .collective = collective});
  }
  [[noreturn]] static int64_t not_recorded(const char* what) {
    throw Error(std::string("no iteration asks for a ") + what);
  }

  Recorder& recorder_;
  int64_t size_;
};

}  // namespace ebm
