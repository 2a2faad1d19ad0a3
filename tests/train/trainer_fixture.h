// SPDX-License-Identifier: MIT
// EBM-BB of small networks with a trainer, and the comparison of two run folders.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "../io/io_fixture.h"
#include "data/toy.h"
#include "methods/ebm_bb_options.h"
#include "support/devices.h"
#include "train/trainer.h"

namespace ebm::test {

/// Measures one number, and does what a test wants done at an evaluation.
class FakeEvaluation final : public Evaluation {
 public:
  std::function<void(int64_t)> at = [](int64_t) {};
  std::vector<std::string> names() const override { return {"iteration_squared"}; }
  std::vector<double> evaluate(int64_t iteration) override {
    at(iteration);
    return {static_cast<double>(iteration * iteration)};
  }
};

/// EBM-BB of small networks with all that it stands on.
struct SmallEbmBb {
  explicit SmallEbmBb(const std::string& device, const EbmBbOptions& options = small_options())
      : kernels(open_device(device)),
        data(*kernels, ToyDataset::gaussians25, options.training.batch * options.training.energy_steps,
             static_cast<uint64_t>(options.training.seed), 1),
        ebm_bb(*kernels, makers_of(networks()), data, options),
        energy(ebm_bb.energy()),
        generator(ebm_bb.generator()) {
    ebm_bb.initialize();
  }
  static NetworkOptions networks() {
    NetworkOptions small = toy_networks();
    small.width = 9;
    return small;
  }
  static EbmBbOptions small_options() {
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
    options.training.batch = 11;
    return options;
  }

  std::unique_ptr<Kernels> kernels;
  ToyData data;
  EbmBb ebm_bb;
  Network &energy, &generator;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Has `change` do something to the attributes of a checkpoint that tell of time.
inline void change_time(const std::filesystem::path& path,
                        const std::function<herr_t(hid_t file, const char* name)>& change) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(file, 0) << path;
  for (const char* name : {"seconds", "images_per_second"}) EXPECT_GE(change(file, name), 0) << name;
  EXPECT_GE(H5Fclose(file), 0);
}

inline herr_t write_zero(hid_t file, const char* name) {
  constexpr double zero = 0;
  const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  const herr_t written = H5Awrite(attribute, H5T_NATIVE_DOUBLE, &zero);
  return H5Aclose(attribute) < 0 ? -1 : written;
}

/// The bytes of a checkpoint without the time that it took, which differs from run to run.
inline std::string timeless_bytes_of(const std::filesystem::path& path) {
  std::filesystem::path copy = path;
  copy += ".timeless";
  std::filesystem::copy_file(path, copy);
  change_time(copy, write_zero);
  const std::string bytes = bytes_of(copy);
  std::filesystem::remove(copy);
  return bytes;
}

/// The same metrics (NaN included) and the same newest checkpoint, bit for bit but for the time it took.
inline void expect_same_runs(const std::filesystem::path& a, const std::filesystem::path& b,
                             int64_t iteration) {
  const MetricTable x = read_run_log(a / "run.h5").metrics, y = read_run_log(b / "run.h5").metrics;
  ASSERT_FALSE(x.iterations.empty());
  EXPECT_EQ(x.names, y.names);
  EXPECT_EQ(x.iterations, y.iterations);
  ASSERT_EQ(x.columns.size(), y.columns.size());
  for (size_t c = 0; c < x.columns.size(); ++c) {
    ASSERT_EQ(x.columns[c].size(), y.columns[c].size());
    EXPECT_EQ(std::memcmp(x.columns[c].data(), y.columns[c].data(), x.columns[c].size() * sizeof(double)), 0)
        << x.names[c];
  }
  char name[64];
  std::snprintf(name, sizeof name, "checkpoints/iteration-%08lld.h5", static_cast<long long>(iteration));
  const std::string first = timeless_bytes_of(a / name);
  EXPECT_FALSE(first.empty()) << a / name;
  EXPECT_TRUE(first == timeless_bytes_of(b / name)) << name << " differs";
}

}  // namespace ebm::test
