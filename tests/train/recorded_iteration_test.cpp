// SPDX-License-Identifier: MIT
// What an iteration of each experiment queues: recorded by Kernels that compute nothing, and as the graph
// that the CUDA half makes of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "io/atomic_file.h"
#include "kernels/recorder/phases.h"
#include "runs/sample_run.h"
#include "support/devices.h"
#include "support/files.h"
#include "support/launch_order.h"

namespace ebm::test {
namespace {

struct Setting {
  std::string name;
  SampleRunOptions options;
};
std::ostream& operator<<(std::ostream& out, const Setting& setting) {
  return out << setting.name;
}

/// Every experiment with every method, as its user gets it.
std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const auto& [program, networks] : {std::pair<std::string, NetworkOptions>{"toy_bb", toy_networks()},
                                          {"mnist_bb", mlp_networks()},
                                          {"cifar10_bb", dcgan_networks()},
                                          {"animeface_bb", resnet_networks()}}) {
    for (const MethodRow& row : methods())
      all.push_back({program + "_" + row.name, {.networks = networks, .method = row.name}});
    all.push_back({program + "_code", {.networks = networks, .preset = Preset::code}});
  }
  NetworkOptions with_norm = resnet_networks();
  with_norm.energy_norm = EnergyNorm::batch;
  all.push_back({"animeface_bb_norm", {.networks = with_norm}});
  for (const char* method : {"meg", "vera", "dcgan", "sngan"}) {  // the GANs with networks of their own
    all.push_back({"cifar10_bb_" + std::string(method) + "_code",
                   {.networks = dcgan_networks(), .method = method, .preset = Preset::code}});
  }
  all.push_back({"cifar10_bb_bf16", {.precision = Precision::bfloat16}});
  return all;
}

/// Of narrow networks and few samples: what is launched in what order does not depend on these.
SampleRunOptions small(SampleRunOptions options) {
  options.batch = 4;
  const NetworkKind kind = options.networks.kind;
  options.networks.width = kind == NetworkKind::toy || kind == NetworkKind::mlp ? 8 : 1;
  return options;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The numbers between two parameters of a flat buffer, which stay zero.
void add_padding(AddressSet& known, const Parameters& parameters, View flat_buffer) {
  for (const Parameter& parameter : parameters.trainable()) {
    const float* begin = flat_buffer.data + parameter.offset;
    const float* end = begin + parameter.size;
    const int64_t left = flat_buffer.size() - parameter.offset - parameter.size;
    known.add(end, std::min<int64_t>(left, (parameter_alignment - parameter.size % parameter_alignment) %
                                               parameter_alignment));
  }
}

/// What one iteration leaves for the next.
AddressSet lasting_state(SampleRun& sample) {
  AddressSet known;
  Method& method = sample.method();
  for (Learner* learner : method.learners()) {
    const Parameters& p = learner->network().parameters();
    for (const View buffer :
         {p.values(), learner->first_moments(), learner->second_moments(), p.statistics_values()})
      known.add(buffer);
    add_padding(known, p, p.gradients());
    known.add(learner->steps().data(), 1);
  }
  known.add(method.iteration().data(), 1);
  for (const ExtraState& extra : method.extra_state()) known.add(extra.values->data(), extra.values->size());
  return known;
}

class RecordedIterationTest : public testing::TestWithParam<Setting> {
 protected:
  const std::unique_ptr<Recorder> recorder_ = make_recorder();
  SampleRun sample_{*recorder_, small(GetParam().options)};
  const std::vector<Launch> launches_ = recorder_->record([this] { sample_.method().iterate(); });
};

TEST_P(RecordedIterationTest, StaysOnTheDevice) {
  ASSERT_GT(launches_.size(), 20u);
  for (const Launch& launch : launches_) {
    EXPECT_LT(launch.kind, LaunchKind::wait) << launch.name << " in " << launch.phase;
  }
}

TEST_P(RecordedIterationTest, WritesBeforeItReads) {
  AddressSet known = lasting_state(sample_);
  known.add(constants(*recorder_, launches_));
  EXPECT_EQ(joined(unwritten_reads(launches_, known)), "");
}

TEST_P(RecordedIterationTest, BranchesDoNotMeet) {
  EXPECT_EQ(joined(conflicts(launches_)), "");
  for (const int branch : {0, 1}) {
    EXPECT_TRUE(std::any_of(launches_.begin(), launches_.end(),
                            [&](const Launch& l) { return l.fork > 0 && l.branch == branch; }))
        << "nothing on branch " << branch;
  }
}

// The counts of every phase, as tests/golden/iterations.txt has them.

std::string counts_in_words(const PhaseCounts& phase) {
  std::ostringstream line;
  line << phase.launches << " launches, " << std::fixed << std::setprecision(0) << phase.flop << " flop, "
       << phase.bytes_read << " bytes read, " << phase.bytes_written << " bytes written";
  return line.str();
}

using Counts = std::map<std::string, std::string>;  // "cifar10_bb_ebm_bb: energy step/adam": counts

Counts read_counts(const std::filesystem::path& file) {
  Counts counts;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t at = line.find(" = ");
    if (at != std::string::npos) counts[line.substr(0, at)] = line.substr(at + 3);
  }
  return counts;
}

Counts counts_of(const Setting& setting) {
  const auto recorder = make_recorder();
  SampleRun sample(*recorder, setting.options);
  Counts counts;
  for (const PhaseCounts& phase : count_phases(recorder->record([&] { sample.method().iterate(); })))
    counts[setting.name + ": " + phase.phase] = counts_in_words(phase);
  return counts;
}

TEST(RecordedIteration, CountsAreTheGolden) {
  const std::filesystem::path file = golden_folder() / "iterations.txt";
  Counts counts;
  for (const Setting& setting : settings()) counts.merge(counts_of(setting));
  if (std::getenv("EBM_WRITE_GOLDEN") != nullptr) {
    std::string text =
        "# SPDX-License-Identifier: MIT\n"
        "# What each phase of an iteration asks of a GPU; written by "
        "tests/train/recorded_iteration_test.cpp.\n";
    for (const auto& [phase, numbers] : counts) text += phase + " = " + numbers + "\n";
    write_file(file, text);
    GTEST_SKIP() << "wrote " << file;
  }
  Counts golden = read_counts(file);
  for (const auto& [phase, numbers] : counts) EXPECT_EQ(numbers, golden[phase]) << phase;
  for (const auto& [phase, numbers] : golden) EXPECT_TRUE(counts.contains(phase)) << phase << " is gone";
  if (HasFailure()) {
    ADD_FAILURE() << "where the change is meant: EBM_WRITE_GOLDEN=1 build/bin/tests "
                     "--gtest_filter=RecordedIteration.CountsAreTheGolden";
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecordedIterationTest, testing::ValuesIn(settings()),
                         [](const auto& info) { return info.param.name; });

// The graph that the CUDA half makes of it.

class RecordedGraphTest : public testing::TestWithParam<std::tuple<Setting, std::string>> {};

TEST_P(RecordedGraphTest, HoldsWhatWasRecorded) {
  const SampleRunOptions options = small(std::get<0>(GetParam()).options);
  const auto recorder = make_recorder();
  SampleRun recorded(*recorder, options);
  GraphNodes expected;
  for (const Launch& launch : recorder->record([&] { recorded.method().iterate(); })) {
    const bool copy = launch.kind == LaunchKind::copy || launch.kind == LaunchKind::zero;
    (copy ? expected.copies : expected.kernels) += 1;
  }

  const auto kernels = open_device(std::get<1>(GetParam()));
  SampleRun sample(*kernels, options);
  const GraphNodes nodes = kernels->capture([&] { sample.method().iterate(); })->nodes();
  EXPECT_EQ(nodes.others, 0) << "copies to or from the host, or calls of it";
  EXPECT_GE(nodes.kernels, expected.kernels);
  if (std::get<1>(GetParam()) == "cuda") return;  // there a product may take several kernels, and fills
  EXPECT_EQ(nodes.copies, expected.copies);
  EXPECT_EQ(nodes.kernels, expected.kernels);
}

std::vector<std::string> devices_with_graphs() {
  std::vector<std::string> names = devices_with_convolutions();
  std::erase(names, "cpu");
  return names;
}
INSTANTIATE_TEST_SUITE_P(Devices, RecordedGraphTest,
                         testing::Combine(testing::ValuesIn(settings()),
                                          testing::ValuesIn(devices_with_graphs())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordedGraphTest);

}  // namespace
}  // namespace ebm::test
