// SPDX-License-Identifier: MIT
// The model of the time: by hand for launches made up, and what the program says.
#include "kernels/recorder/time_model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "io/io_fixture.h"
#include "runs/sample_run.h"
#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

// 10 FLOP/s in float32, 100 in TF32, 1000 bytes/s; 0.5 s a launch
const TimeModel model{.device = {.name = "made up",
                                 .fp32_flops = 10,
                                 .tf32_flops = 100,
                                 .bf16_flops = 200,
                                 .memory_bandwidth = 1000},
                      .launch_seconds = 0.5};

Launch launch(const std::string& phase, double flop, int64_t bytes, Precision precision, int fork = 0,
              int branch = 0) {
  return {.name = "made up",
          .phase = phase,
          .kind = flop > 0 ? LaunchKind::product : LaunchKind::map,
          .arrays = {{.use = Use::update, .begin = 64, .bytes = bytes / 2}},
          .flop = flop,
          .precision = precision,
          .fork = fork,
          .branch = branch};
}

TEST(TimeModelTest, ALaunchIsBoundByOneCeiling) {
  EXPECT_DOUBLE_EQ(model.seconds(launch("a", 0, 3000, Precision::full)), 3.5);
  EXPECT_DOUBLE_EQ(model.seconds(launch("a", 40, 3000, Precision::full)), 4.5);
  EXPECT_DOUBLE_EQ(model.seconds(launch("a", 40, 3000, Precision::training)), 3.5);
  EXPECT_DOUBLE_EQ(model.seconds(launch("a", 800, 3000, Precision::bfloat16)), 4.5);
}

TEST(TimeModelTest, BranchesShareTheCeilings) {
  const Launch before = launch("a", 0, 1000, Precision::full);
  const auto both = [&](const Launch& one, const Launch& other) {
    return model.seconds({before, one, other, before});
  };
  const auto full = [](double flop, int branch) { return launch("a", flop, 2, Precision::full, 1, branch); };
  const auto tf32 = [](double flop, int branch) {
    return launch("a", flop, 2, Precision::training, 1, branch);
  };
  EXPECT_DOUBLE_EQ(both(full(40, 0), tf32(300, 1)), 3 + 4.5) << "the longer one";
  EXPECT_DOUBLE_EQ(both(full(40, 0), full(30, 1)), 3 + 7) << "one unit for both";
  const auto memory = [](int branch) { return launch("a", 0, 3000, Precision::full, 1, branch); };
  EXPECT_DOUBLE_EQ(both(memory(0), memory(1)), 3 + 6) << "one memory for both";
  // two forks are no one
  EXPECT_DOUBLE_EQ(model.seconds({full(40, 0), launch("a", 40, 2, Precision::full, 2, 1)}), 9);
}

TEST(TimeModelTest, PhasesAndKinds) {
  const std::vector<Launch> launches{launch("a/b/c", 40, 2, Precision::full),
                                     launch("a", 0, 2000, Precision::full),
                                     launch("a/b", 0, 9000, Precision::full)};
  const std::vector<ModelledCost> phases = cost_by_phase(model, launches);
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_EQ(phases[0].counts.phase, "a/b");
  EXPECT_EQ(phases[0].counts.launches, 2);
  EXPECT_EQ(phases[0].counts.bytes_read, 4501);
  EXPECT_DOUBLE_EQ(phases[0].seconds, 4.5 + 9.5);
  EXPECT_DOUBLE_EQ(phases[0].product_seconds, 4.5);
  EXPECT_EQ(phases[1].counts.phase, "a");
  EXPECT_EQ(cost_by_kind(model, launches).front().counts.phase, "a/b: made up");
}

/// The goal that kernels and branches were cut to: 3 ms on an H100, 70 % of the work in libraries.
TEST(TimeModelTest, TheFloorOfCifar10) {
  const TimeModel h100{.device = {.name = "H100 SXM",
                                  .fp32_flops = 67e12,
                                  .tf32_flops = 494.5e12,
                                  .bf16_flops = 989.5e12,
                                  .memory_bandwidth = 3350e9},
                       .launch_seconds = 1e-6};
  for (const Precision precision : {Precision::training, Precision::bfloat16}) {
    const auto recorder = make_recorder();
    SampleRun sample(*recorder, {.precision = precision});
    const std::vector<Launch> launches = recorder->record([&] { sample.method().iterate(); });
    EXPECT_LE(h100.seconds(launches), 3e-3);
    ModelledCost all;
    for (const Launch& launch : launches) all.add(h100, launch);
    EXPECT_GE(all.product_seconds, 0.7 * all.seconds);
  }
}

// Two multiprocessors of 10 cycles a second, each 1280 FLOP/s in float32, 5120 in TF32.
TimeModel forecasting(Float32Convolutions float32 = Float32Convolutions::library) {
  TimeModel likely = model;
  likely.device.processors = 2;
  likely.device.clock = 10;
  likely.device.fp32_flops = 2 * 1280;
  likely.device.tf32_flops = 2 * 5120;
  likely.forecast = Forecast{.rates = {.float32_cudnn = 0.5,
                                       .float32_tiles = 1,
                                       .tf32 = 1,
                                       .bfloat16 = 1,
                                       .tf32x3 = 256,
                                       .bandwidth = 0.5,
                                       .launch_seconds = 0.25,
                                       .columns_seconds = 2},
                             .float32 = float32};
  return likely;
}

/// Of 128 x 64 results, 16 products each: two tiles of 128 x 32 or 64 x 64, one of 128 x 64 or 128 x 128.
Launch convolution(Precision precision, int64_t inner = 16) {
  return {.name = "convolution",
          .phase = "a",
          .kind = LaunchKind::product,
          .arrays = {{.use = Use::update, .begin = 64, .bytes = 1000}},
          .precision = precision,
          .product = {.rows = 128, .columns = 64, .inner = inner},
          .convolution = ConvolutionForward{.shape = {}, .x = {}, .weight = {}, .y = {}}};
}

TEST(TimeModelTest, AForecastCountsTilesAndTransposes) {
  const double work = 2.0 * 128 * 64 * 16, memory = 2000 / 500.0;
  const TimeModel likely = forecasting();
  EXPECT_DOUBLE_EQ(likely.seconds(launch("a", 0, 3000, Precision::full)), 3000 / 500.0 + 0.25);
  EXPECT_DOUBLE_EQ(likely.seconds(convolution(Precision::full)), work / 2 / 640 + 3 * memory + 4 * 0.25)
      << "each array three times, four launches";
  EXPECT_DOUBLE_EQ(forecasting(Float32Convolutions::tiles).seconds(convolution(Precision::full)),
                   work / 2 / 1280 + 0.25);
  EXPECT_DOUBLE_EQ(likely.seconds(convolution(Precision::training)), work / 2 / 5120 + 0.25)
      << "tiles of 64 x 64";
  EXPECT_DOUBLE_EQ(likely.seconds(convolution(Precision::tf32x3)), work / 2 / 2560 + 0.25)
      << "tiles of 64 x 64, or narrow ones";
  EXPECT_DOUBLE_EQ(likely.seconds(convolution(Precision::tf32x3, 27)),
                   likely.seconds(convolution(Precision::full, 27)))
      << "which tiles do not take";
  Launch columns = launch("a", 0, 1000, Precision::full);
  columns.kind = LaunchKind::columns;
  EXPECT_DOUBLE_EQ(likely.seconds(columns), 2 + 0.25 + 2);
  Launch product = convolution(Precision::full);
  product.convolution = {};
  EXPECT_DOUBLE_EQ(likely.seconds(product), work / 2 / 1280 + 0.25) << "nothing to transpose";
}

TEST(TimeModelTest, BranchesOfAForecastShareTheProcessors) {
  const TimeModel likely = forecasting();
  Launch one = convolution(Precision::training), other = convolution(Precision::tf32x3);
  one.fork = other.fork = other.branch = 1;
  const double busy = 2.0 * 128 * 64 * 16 / 2 / 5120 + 2.0 * 128 * 64 * 16 / 2 / 2560;
  EXPECT_DOUBLE_EQ(likely.seconds({one, other}), busy);
}

double milliseconds_of_cifar10(const std::string& gpu, Precision jacobian) {
  const TimeModel likely{
      .device = read_device_file((golden_folder() / "../devices" / (gpu + ".json")).string()),
      .launch_seconds = 1e-6,
      .forecast = Forecast{}};
  const auto recorder = make_recorder();
  SampleRun sample(*recorder, {.preset = Preset::paper, .jacobian = jacobian});
  return 1e3 * likely.seconds(recorder->record([&] { sample.method().iterate(); }));
}

/// Measured: bench/results/h200.md.
TEST(TimeModelTest, TheForecastOfCifar10IsNearWhatAnH200Took) {
  EXPECT_NEAR(milliseconds_of_cifar10("h200", Precision::full) / 8.79, 1, 0.1);
  EXPECT_LT(milliseconds_of_cifar10("h200", Precision::tf32x3), 0.7 * 8.79);
}

class RooflineTest : public IoTest {
 protected:
  Finished run(const std::string& description, const std::vector<std::string>& more = {}) {
    const std::string file = (*this / "device.json").string();
    std::ofstream(file) << description;
    std::vector<std::string> words{program_path("roofline"), "--device-file", file};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  }
};

constexpr const char* device = R"({"deviceName": "Made up 3000", "peakFp32FlopPerSecond": 1e13,
  "peakTf32FlopPerSecond": 1e14, "peakBf16FlopPerSecond": 2e14, "peakMemoryBytesPerSecond": 1e12})";

TEST_F(RooflineTest, PrintsBothExperiments) {
  if (program_path("roofline").empty()) GTEST_SKIP() << "the programs are not built";
  const Finished finished = run(device);
  EXPECT_EQ(finished.status, 0) << finished.err;
  for (const char* text : {"Made up 3000: 10.0 TFLOP/s in float32, 100.0 in TF32, 1000 GB/s",
                           "cifar10_bb, ebm_bb", "animeface_bb, ebm_bb", "energy step/lower bound",
                           "360 ms each", "1440 ms each", "branches side by side"})
    EXPECT_NE(finished.out.find(text), std::string::npos) << text << " is not in\n" << finished.out;
  EXPECT_EQ(finished.out.find("images/s"), std::string::npos) << "of one GPU";
  EXPECT_EQ(finished.out.find("forecast"), std::string::npos) << "its processors are not described";
  const std::string more(device);
  const Finished both =
      run(more.substr(0, more.find('}')) + R"(, "multiProcessorCount": 100, "smClockRateKHz": 1e6})",
          {"--experiment", "cifar10", "--jacobian", "3xtf32"});
  EXPECT_NE(both.out.find("Jacobian 3xtf32"), std::string::npos) << both.out;
  EXPECT_NE(both.out.find(" ms at least; forecast "), std::string::npos) << both.out;
  const Finished one =
      run(device, {"--experiment", "cifar10", "--method", "wgan_0gp", "--precision", "fp32"});
  EXPECT_EQ(one.out.find("animeface"), std::string::npos);
  EXPECT_NE(one.out.find("4 h for 100000 iterations"), std::string::npos) << one.out;
}

TEST_F(RooflineTest, ForecastsManyGpus) {
  if (program_path("roofline").empty()) GTEST_SKIP() << "the programs are not built";
  const std::string linked =
      std::string(device).substr(0, std::string(device).find('}')) + R"(, "linkBytesPerSecond": 1e11})";
  const std::vector<std::string> many{"--experiment", "cifar10", "--gpus", "4", "--nodes", "2"};
  const Finished finished = run(linked, many);
  EXPECT_EQ(finished.status, 0) << finished.err;
  for (const char* text : {"    1 x 1 ", "    1 x 2 ", "    1 x 4 ", "    2 x 4 ", "are summed in 3 calls",
                           "--gradient-compression bfloat16 saves"})
    EXPECT_NE(finished.out.find(text), std::string::npos) << text << " is not in\n" << finished.out;
  EXPECT_EQ(finished.out.find("    4 x 4 "), std::string::npos);
  const Finished unlinked = run(device, many);
  EXPECT_EQ(unlinked.status, 1);
  EXPECT_NE(unlinked.err.find("has no \"linkBytesPerSecond\""), std::string::npos) << unlinked.err;
}

TEST_F(RooflineTest, RefusesWhatDescribesNoGpu) {
  if (program_path("roofline").empty()) GTEST_SKIP() << "the programs are not built";
  for (const auto& [description, text] :
       {std::pair{"{", "is no JSON object"}, std::pair{"[1]", "is no JSON object"},
        std::pair{"{}", "peakFp32FlopPerSecond"},
        std::pair{R"({"peakFp32FlopPerSecond": 0})", "peakFp32FlopPerSecond"},
        std::pair{R"({"peakFp32FlopPerSecond": 1, "peakTf32FlopPerSecond": "1"})",
                  "peakTf32FlopPerSecond"}}) {
    const Finished finished = run(description);
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished.err;
  }
  const Finished missing = run_command({program_path("roofline"), "--device-file", "nowhere.json"});
  EXPECT_NE(missing.err.find("cannot read nowhere.json"), std::string::npos) << missing.err;
  EXPECT_EQ(run_command({program_path("roofline")}).status, 2);
}

}  // namespace
}  // namespace ebm::test
