// SPDX-License-Identifier: MIT
#include "kernels/recorder/recorder.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/type_name.h"
#include "kernels/runner.h"

namespace ebm {

namespace {

constexpr int64_t address_space = int64_t{1} << 42;  // never backed by memory
constexpr int64_t alignment = 256;

LaunchKind kind_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::elements:
      return LaunchKind::elements;
    case Pattern::map:
      return LaunchKind::map;
    case Pattern::columns:
      return LaunchKind::columns;
    case Pattern::teams:
      return LaunchKind::teams;
  }
  throw Error("unknown pattern of a formula");
}

class RecordedGraph final : public Graph {
 public:
  explicit RecordedGraph(std::function<void()> work) : work_(std::move(work)) {}
  void launch() override { work_(); }

 private:
  std::function<void()> work_;
};

/// Host memory that nothing is copied to.
class RecordedReadback final : public Readback {
 public:
  RecordedReadback(Recorder& recorder, int64_t bytes)
      : recorder_(recorder), bytes_(static_cast<size_t>(bytes)) {}
  void start(const void*) override { recorder_.note({.name = "readback", .kind = LaunchKind::to_host}); }
  const void* wait() override {
    recorder_.note({.name = "readback's wait", .kind = LaunchKind::wait});
    return bytes_.data();
  }

 private:
  Recorder& recorder_;
  std::vector<unsigned char> bytes_;
};

class RecordedStaging final : public Staging {
 public:
  RecordedStaging(Recorder& recorder, int64_t bytes)
      : recorder_(recorder), bytes_(static_cast<size_t>(bytes)) {}
  void* host() override { return bytes_.data(); }
  void start(void* device) override {
    ArrayUses uses;
    uses.writes(static_cast<unsigned char*>(device), std::ssize(bytes_));
    recorder_.note({.name = "staging", .kind = LaunchKind::from_host, .arrays = uses.all()});
  }

 private:
  Recorder& recorder_;
  std::vector<unsigned char> bytes_;
};

}  // namespace

int64_t Launch::bytes_read() const {
  int64_t sum = 0;
  for (const ArrayUse& use : arrays) sum += use.bytes_read();
  return sum;
}

int64_t Launch::bytes_written() const {
  int64_t sum = 0;
  for (const ArrayUse& use : arrays) sum += use.bytes_written();
  return sum;
}

Recorder::Recorder()
    : memory_(mmap(nullptr, address_space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
  if (memory_ == MAP_FAILED) {
    throw Error("there are no " + std::to_string(address_space) +
                " bytes of addresses for recording; lift the limit of `ulimit -v`");
  }
}

Recorder::~Recorder() {
  munmap(memory_, address_space);
}

std::vector<Launch> Recorder::record(const std::function<void()>& work) {
  std::vector<Launch> launches;
  recording_ = &launches;
  forks_ = fork_ = branch_ = 0;
  try {
    work();
  } catch (...) {
    recording_ = nullptr;
    throw;
  }
  recording_ = nullptr;
  return launches;
}

void Recorder::note(Launch launch) {
  if (recording_ == nullptr) {
    std::copy_if(launch.arrays.begin(), launch.arrays.end(), std::back_inserter(written_outside_),
                 [](const ArrayUse& use) { return use.writes(); });
    return;
  }
  for (const std::string& range : ranges_) launch.phase += (launch.phase.empty() ? "" : "/") + range;
  launch.fork = fork_;
  launch.branch = branch_;
  recording_->push_back(std::move(launch));
}

void Recorder::concurrently(const Work& first, const Work& second) {
  if (fork_ != 0) throw Error("concurrent work was asked for inside of concurrent work; take it out");
  fork_ = ++forks_;
  branch_ = 0;
  first();
  branch_ = 1;
  second();
  fork_ = branch_ = 0;
}

void* Recorder::do_allocate(int64_t bytes) {
  note({.name = "allocation", .kind = LaunchKind::allocation});
  char* const block = static_cast<char*>(memory_) + used_;
  const int64_t taken = (bytes / alignment + 1) * alignment;
  if (taken > address_space - used_) {
    throw Error("recording has no addresses for " + std::to_string(bytes) +
                " more bytes; use a smaller batch or network");
  }
  used_ += taken;
  return block;
}

void Recorder::upload(void* device, const void*, int64_t bytes) {
  ArrayUses uses;
  uses.writes(static_cast<char*>(device), bytes);
  note({.name = "upload", .kind = LaunchKind::from_host, .arrays = uses.all()});
}

void Recorder::download(void* host, const void*, int64_t bytes) {
  std::memset(host, 0, static_cast<size_t>(bytes));
  note({.name = "download", .kind = LaunchKind::to_host});
}

void Recorder::copy(void* to, const void* from, int64_t bytes) {
  ArrayUses uses;
  uses.reads(static_cast<const char*>(from), bytes);
  uses.writes(static_cast<char*>(to), bytes);
  note({.name = "copy", .kind = LaunchKind::copy, .arrays = uses.all()});
}

void Recorder::zero(void* device, int64_t bytes) {
  ArrayUses uses;
  uses.writes(static_cast<char*>(device), bytes);
  note({.name = "zero", .kind = LaunchKind::zero, .arrays = uses.all()});
}

void Recorder::gemm(const Gemm& product) {
  note({.name = "gemm",
        .kind = LaunchKind::product,
        .arrays = arrays_of(product),
        .flop = product.flop(),
        .precision = product.precision,
        .shape = to_string(product),
        .product = product_size(product)});
}

template <class Pass>
void Recorder::note_convolution(const char* name, ConvolutionPass kind, const Pass& pass) {
  note({.name = name,
        .kind = LaunchKind::product,
        .arrays = arrays_of(pass),
        .flop = pass.shape.flop(),
        .precision = pass.precision,
        .shape = to_string(pass.shape),
        .product = product_size(kind, pass.shape),
        .convolution = pass});
}

void Recorder::convolve(const ConvolutionForward& pass) {
  note_convolution("convolution", ConvolutionPass::forward, pass);
}
void Recorder::convolve(const ConvolutionBackwardData& pass) {
  note_convolution("convolution, to the data", ConvolutionPass::backward_data, pass);
}
void Recorder::convolve(const ConvolutionBackwardWeight& pass) {
  note_convolution("convolution, to the weight", ConvolutionPass::backward_weight, pass);
  if (pass.x.type == Type::float32) return;
  // cuDNN's gradient is bfloat16 too, somewhere; a formula adds it to the float32 one.
  ArrayUses uses;
  uses.writes(pass.weight_bar, pass.shape.weights(), pass.mode);
  note({.name = "FromActivations", .kind = LaunchKind::elements, .arrays = uses.all()});
}

void Recorder::noise(const Noise& noise, View out) {
  ArrayUses uses;
  uses.reads(noise.iteration, 1);
  uses.writes(out.data, out.size());
  note({.name = "noise", .kind = LaunchKind::noise, .arrays = uses.all()});
}

void Recorder::note_formula(const char* mangled, Pattern pattern, std::vector<ArrayUse> arrays) {
  note({.name = short_type_name(mangled), .kind = kind_of(pattern), .arrays = std::move(arrays)});
}

std::unique_ptr<Graph> Recorder::capture(std::function<void()> work) {
  return std::make_unique<RecordedGraph>(std::move(work));
}
std::unique_ptr<Readback> Recorder::readback(int64_t bytes) {
  return std::make_unique<RecordedReadback>(*this, bytes);
}
std::unique_ptr<Staging> Recorder::staging(int64_t bytes) {
  return std::make_unique<RecordedStaging>(*this, bytes);
}

std::unique_ptr<Recorder> make_recorder() {
  return std::make_unique<Runner<Recorder>>();
}

}  // namespace ebm
