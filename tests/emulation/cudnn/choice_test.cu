// SPDX-License-Identifier: MIT
// Which plans are taken, over the emulated cuDNN: its first proposals, or the fastest, measured once and
// kept.
#include <cudnn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/memory.h"
#include "dnn_timing.h"
#include "kernels/cuda/cuda_base.h"

namespace ebm::cuda {
namespace {

using emulated::EngineFault;
using emulated::float32_tiles;
using emulated::plain;
using emulated::plant_fault;
using emulated::plant_milliseconds;
using emulated::runs_of;
using emulated::split_tiles;
using emulated::tensor_cores;
using emulated::timings;
using emulated::without_order;

/// Which engine a convolution in the middle of a program ran on, and how many timings came before.
struct Seen {
  emulated::Engine engine;
  int64_t timings;
};

/// One convolution of 2 images of 3 x 3 x 4 to 4 channels with a 2 x 2 kernel, again and again.
class ChoiceTest : public testing::Test {
 protected:
  static constexpr ConvolutionShape shape{
      .rows = 2, .input = {.height = 3, .width = 3, .channels = 4}, .output_channels = 4, .kernel = {2, 2}};
  static constexpr int64_t products = 2 * 2 * 4;  // in each sum
  static constexpr emulated::Engine all[] = {plain, tensor_cores, without_order, split_tiles, float32_tiles};

  ~ChoiceTest() override {
    for (const auto engine : all) {
      plant_milliseconds(engine, 1);
      plant_fault(engine, EngineFault::none);
    }
  }

  /// A program that begins, with what was kept before.
  void start() { program_.emplace(); }
  void start_tuned() {
    start();
    program_->kernels->tune_convolutions(
        {.name = "plans.txt", .text = kept_, .keep = [this](const std::string& text) {
           kept_ = text;
           ++times_kept_;
         }});
  }

  Seen convolve(Precision precision) {
    const int64_t timings_before = timings();
    program_->run(precision);  // makes the plan
    const int64_t timed = timings() - timings_before;
    std::map<emulated::Engine, int64_t> before;
    for (const auto engine : all) before[engine] = runs_of(engine);
    program_->run(precision);
    EXPECT_EQ(program_->y.download(), std::vector<float>(2 * 2 * 2 * 4, products));
    for (const auto engine : all) {
      if (runs_of(engine) == before[engine] + 1) return {engine, timed};
    }
    ADD_FAILURE() << "no engine ran, or one several times";
    return {plain, timed};
  }

  /// What a program says on stderr that finds `text` kept; it measures all the same, and keeps what it
  /// measured.
  std::string notes_with(const std::string& text) {
    kept_ = text;
    times_kept_ = 0;
    start_tuned();
    testing::internal::CaptureStderr();
    EXPECT_GT(convolve(Precision::full).timings, 0) << text;
    EXPECT_EQ(times_kept_, 1);
    EXPECT_NE(kept_, text);
    return testing::internal::GetCapturedStderr();
  }

  struct Program {
    std::unique_ptr<Kernels> kernels = make_cuda_kernels(0);
    Buffer<float> x{*kernels, std::vector<float>(2 * 3 * 3 * 4, 1)};
    Buffer<float> weight{*kernels, std::vector<float>(4 * 2 * 2 * 4, 1)};
    Buffer<float> y{*kernels, 2 * 2 * 2 * 4};

    void run(Precision precision) {
      kernels->convolve(ConvolutionForward{
          .shape = shape, .x = x.data(), .weight = weight.data(), .y = y.data(), .precision = precision});
      kernels->synchronize();
    }
  };
  std::optional<Program> program_;
  std::string kept_;
  int times_kept_ = 0;
};

bool is_one_line(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n') == 1 && text.ends_with('\n');
}

TEST_F(ChoiceTest, WithoutTuningTheFirstProposalsThatKeepTheirBits) {
  plant_milliseconds(without_order, 0.1);
  plant_milliseconds(plain, 0.2);
  start();
  const Seen training = convolve(Precision::training), full = convolve(Precision::full);
  EXPECT_EQ(training.engine, tensor_cores);
  EXPECT_EQ(full.engine, plain);
  EXPECT_EQ(training.timings + full.timings, 0);
}

TEST_F(ChoiceTest, TheFastestIsTaken) {
  for (const auto fastest : {plain, tensor_cores, without_order}) {
    for (const auto engine : all) plant_milliseconds(engine, 3);
    plant_milliseconds(fastest, 2);
    kept_.clear();
    start_tuned();
    const Seen seen = convolve(Precision::training);
    EXPECT_EQ(seen.engine, fastest);
    EXPECT_GE(seen.timings, 3) << "each of three";
  }
}

TEST_F(ChoiceTest, TrueFloat32StaysSoHoweverFastTensorCoresAre) {
  plant_milliseconds(tensor_cores, 0.1);
  plant_milliseconds(plain, 0.5);
  start_tuned();
  EXPECT_EQ(convolve(Precision::full).engine, plain);
}

/// Tiles of the project's own first, and none that rounds.
TEST_F(ChoiceTest, ThreeTf32ProductsAreTilesUnlessFloat32IsFaster) {
  plant_milliseconds(tensor_cores, 0.1);
  start();
  EXPECT_EQ(convolve(Precision::tf32x3).engine, split_tiles);
  start_tuned();
  plant_milliseconds(plain, 2);
  EXPECT_EQ(convolve(Precision::tf32x3).engine, split_tiles);
  EXPECT_NE(kept_.find("tiles "), std::string::npos) << kept_;
  EXPECT_NE(kept_.find(": forward pass of 2 images of 3x3x4"), std::string::npos) << kept_;
  EXPECT_NE(kept_.find(" in 3xTF32"), std::string::npos) << kept_;
  plant_milliseconds(split_tiles, 100);
  start_tuned();
  const Seen again = convolve(Precision::tf32x3);
  EXPECT_EQ(again.engine, split_tiles) << "the same as before, though slow now";
  EXPECT_EQ(again.timings, 0);
  kept_.clear();
  start_tuned();
  EXPECT_EQ(convolve(Precision::tf32x3).engine, without_order) << "true float32 is as exact";
}

TEST_F(ChoiceTest, TilesOfFloat32AreAmongTheCandidates) {
  plant_milliseconds(float32_tiles, 0.5);
  start_tuned();
  EXPECT_EQ(convolve(Precision::full).engine, float32_tiles);
  start();
  EXPECT_EQ(convolve(Precision::full).engine, plain) << "untimed they come last";
  for (const auto engine : {plain, without_order}) plant_fault(engine, EngineFault::computes_wrongly);
  start();
  testing::internal::CaptureStderr();
  EXPECT_EQ(convolve(Precision::full).engine, float32_tiles);
  testing::internal::GetCapturedStderr();
}

TEST_F(ChoiceTest, FaultyTilesAreLeftOutByName) {
  for (const EngineFault fault :
       {EngineFault::does_not_run, EngineFault::cannot_be_recorded, EngineFault::computes_wrongly}) {
    plant_fault(split_tiles, fault);
    start();
    testing::internal::CaptureStderr();
    EXPECT_EQ(convolve(Precision::tf32x3).engine, plain);
    const std::string note = testing::internal::GetCapturedStderr();
    EXPECT_NE(note.find("note: CUTLASS's tiles 64x64x32, warps 32x32, 3 stages, split 1 is left out for the "
                        "forward pass of 2 images"),
              std::string::npos)
        << note;
  }
}

constexpr EngineFault faults[] = {EngineFault::does_not_run, EngineFault::cannot_be_recorded,
                                  EngineFault::computes_wrongly};

/// What the note says of a fault.
const char* words_of(EngineFault fault) {
  return fault == EngineFault::computes_wrongly ? "its results are wrong by 2.0e-02" : "it does not run: ";
}

TEST_F(ChoiceTest, AFaultyEngineIsLeftOutByName) {
  for (const EngineFault fault : faults) {
    for (const auto engine : {plain, tensor_cores, without_order}) plant_milliseconds(engine, 3);
    plant_milliseconds(tensor_cores, 1);  // the fastest, were it not
    plant_milliseconds(plain, 2);
    plant_fault(tensor_cores, fault);
    kept_.clear();
    start_tuned();
    testing::internal::CaptureStderr();
    EXPECT_EQ(convolve(Precision::training).engine, plain);
    const std::string note = testing::internal::GetCapturedStderr();
    EXPECT_NE(note.find("note: cuDNN's engine 1, knobs"), std::string::npos) << note;
    EXPECT_NE(note.find("is left out for the forward pass of 2 images"), std::string::npos) << note;
    EXPECT_NE(note.find(words_of(fault)), std::string::npos) << note;

    start();
    testing::internal::CaptureStderr();
    EXPECT_EQ(convolve(Precision::training).engine, plain) << "the next of those that keep their bits";
    EXPECT_NE(testing::internal::GetCapturedStderr().find(words_of(fault)), std::string::npos);
  }
}

TEST_F(ChoiceTest, AnEngineThatOverwritesWhereItShouldAddIsLeftOut) {
  for (const auto engine : {tensor_cores, without_order}) plant_fault(engine, EngineFault::does_not_add);
  for (const bool tuned : {false, true}) {
    tuned ? start_tuned() : start();
    Program& p = *program_;
    const Buffer<float> y_bar(*p.kernels, std::vector<float>(2 * 2 * 2 * 4, 1));
    p.weight.upload(std::vector<float>(4 * 2 * 2 * 4, 100));
    testing::internal::CaptureStderr();
    p.kernels->convolve(ConvolutionBackwardWeight{.shape = shape,
                                                  .x = p.x.data(),
                                                  .y_bar = y_bar.data(),
                                                  .weight_bar = p.weight.data(),
                                                  .mode = Write::accumulate,
                                                  .precision = Precision::training});
    EXPECT_EQ(p.weight.download(), std::vector<float>(4 * 2 * 2 * 4, 108)) << "8 places of two images";
    EXPECT_NE(testing::internal::GetCapturedStderr().find("its results are wrong by"), std::string::npos);
  }
}

TEST_F(ChoiceTest, AKeptPlanThatFailsNowIsMeasuredAnew) {
  plant_milliseconds(plain, 0.5);
  start_tuned();
  EXPECT_EQ(convolve(Precision::training).engine, plain);
  for (const EngineFault fault : faults) {
    plant_fault(plain, fault);
    start_tuned();
    testing::internal::CaptureStderr();
    const Seen seen = convolve(Precision::training);
    EXPECT_NE(seen.engine, plain);
    EXPECT_GT(seen.timings, 0);
    testing::internal::GetCapturedStderr();
    plant_fault(plain, EngineFault::none);
    kept_.clear();
    start_tuned();
    EXPECT_EQ(convolve(Precision::training).engine, plain);
  }
}

TEST_F(ChoiceTest, WhereNoneWorksTheErrorSaysSo) {
  for (const auto engine : {plain, tensor_cores, without_order})
    plant_fault(engine, EngineFault::computes_wrongly);
  for (const bool tuned : {false, true}) {
    tuned ? start_tuned() : start();
    testing::internal::CaptureStderr();
    std::string message = "(no Error)";
    try {
      program_->run(Precision::training);
    } catch (const Error& error) {
      message = error.what();
    }
    testing::internal::GetCapturedStderr();
    EXPECT_NE(message.find("none of cuDNN's ways to the forward pass"), std::string::npos) << message;
  }
}

TEST_F(ChoiceTest, WhatWasKeptIsNotMeasuredAgain) {
  plant_milliseconds(plain, 0.5);
  start_tuned();
  EXPECT_EQ(convolve(Precision::training).engine, plain);
  EXPECT_EQ(times_kept_, 1);
  EXPECT_NE(kept_.find("emulated on the CPU, cuDNN " + std::to_string(CUDNN_VERSION)), std::string::npos)
      << kept_;
  EXPECT_NE(kept_.find(": forward pass of 2 images of 3x3x4"), std::string::npos) << kept_;

  plant_milliseconds(plain, 100);
  start_tuned();
  testing::internal::CaptureStderr();
  const Seen again = convolve(Precision::training);
  EXPECT_EQ(again.engine, plain) << "the same as before, though slow now";
  EXPECT_EQ(again.timings, 0);
  EXPECT_EQ(times_kept_, 1) << "nothing new";
  EXPECT_GT(convolve(Precision::full).timings, 0) << "that is another request";
  EXPECT_EQ(times_kept_, 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("note: "), std::string::npos);

  start();
  EXPECT_EQ(convolve(Precision::training).engine, tensor_cores) << "who does not tune does not look at it";
}

TEST_F(ChoiceTest, DamagedForeignAndStaleChoicesAreMeasuredAnew) {
  plant_milliseconds(plain, 0.5);
  start_tuned();
  convolve(Precision::full);
  const std::string whole = kept_;
  const auto replaced = [&](const std::string& part, const std::string& by) {
    std::string text = whole;
    return text.replace(text.find(part), part.size(), by);
  };
  const std::string cut = whole.substr(0, whole.size() - 5);
  for (const std::string& text : {cut, replaced("engine 4", "engine 2"), std::string("nonsense"),
                                  std::string("\n\n\n\n"), whole.substr(0, 30)}) {
    const std::string note = notes_with(text);
    EXPECT_TRUE(is_one_line(note)) << note;
    EXPECT_TRUE(note.starts_with("note: plans.txt is not used, since it is damaged")) << note;
    EXPECT_EQ(kept_, whole);
  }
  for (const std::string& text :
       {replaced("emulated on the CPU", "NVIDIA X1"), replaced(", cuDNN ", ", cuDNN 1")}) {
    const std::string note = notes_with(text);
    EXPECT_TRUE(is_one_line(note)) << note;
    EXPECT_NE(note.find("holds for another GPU or cuDNN than emulated on the CPU"), std::string::npos)
        << note;
    EXPECT_EQ(kept_, whole);
  }

  std::string stale;
  PlanChoices choices({.name = "", .text = "", .keep = [&](const std::string& text) { stale = text; }});
  choices.begin("emulated on the CPU, cuDNN " + std::to_string(CUDNN_VERSION));
  const size_t pass = whole.find(": forward") + 2;
  choices.put(whole.substr(pass, whole.find('\n', pass) - pass), "engine 77, knobs");
  choices.keep();
  const std::string note = notes_with(stale);
  EXPECT_TRUE(is_one_line(note)) << note;
  EXPECT_NE(note.find("there is no engine 77, knobs for the forward pass of 2 images"), std::string::npos)
      << note;
  EXPECT_EQ(kept_, whole);
}

/// Plans are made between two recordings; what is recorded is not run meanwhile.
TEST_F(ChoiceTest, ARecordingTimesItsPlansAndTouchesNothing) {
  plant_milliseconds(without_order, 0.5);
  start_tuned();
  Program& p = *program_;
  const std::vector<float> before(2 * 2 * 2 * 4, 7);
  p.y.upload(before);
  const auto graph = p.kernels->capture([&] {
    for (int i = 0; i < 2; ++i) {
      p.kernels->convolve(
          ConvolutionForward{.shape = shape, .x = p.x.data(), .weight = p.weight.data(), .y = p.y.data()});
    }
  });
  EXPECT_EQ(p.y.download(), before);
  EXPECT_EQ(times_kept_, 1);
  const int64_t timed = timings(), ran = runs_of(without_order);
  graph->launch();
  EXPECT_EQ(p.y.download(), std::vector<float>(before.size(), products));
  EXPECT_EQ(timings(), timed);
  EXPECT_EQ(runs_of(without_order), ran + 2);
}

}  // namespace
}  // namespace ebm::cuda
