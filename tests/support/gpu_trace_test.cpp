// SPDX-License-Identifier: MIT
// scripts/gpu_trace without a GPU: what it says of planted traces, to the digit; what the tracer writes when
// a stand-in for CUPTI tells it of graphs and kernels; and the phases of a real program on the emulated GPU.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/devices.h"
#include "support/files.h"
#include "support/process.h"
#include "support/script_tree.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class GpuTraceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_scripts(); !reason.empty()) GTEST_SKIP() << reason;
  }
  Finished read(const std::string& trace, const std::vector<std::string>& options = {}) const {
    std::ofstream(tree_.path("trace.txt")) << trace;
    std::vector<std::string> command = {script_path("gpu_trace").string(), "--read",
                                        tree_.path("trace.txt").string()};
    command.insert(command.end(), options.begin(), options.end());
    return run_command(command);
  }
  ScriptTree tree_{"gpu_trace"};
};

void expect_holds(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
}

/// Phases, names of kernels, and the phases of nodes 11 to 13; node 14 has none.
constexpr const char* head =
    "ebm trace 1\n"
    "P\t1\tenergy step/lower bound/lobpcg/jvp\nP\t2\tenergy step/upper bound\nP\t3\tgenerator step\n"
    "F\t1\tvoid ebm::cuda::elements_kernel<ebm::Neighbours<float>, ebm::AddBias>(ebm::AddBias)\n"
    "F\t2\tsm80_xmma_dgrad_tf32\nF\t3\tfill\n"
    "N\t11\t1\nN\t12\t2\nN\t13\t3\n";

std::string activity(char kind, int64_t start, int64_t end, const std::string& graph_node_correlation_name) {
  return std::string(1, kind) + "\t" + std::to_string(start) + "\t" + std::to_string(end) + "\t0\t7\t" +
         graph_node_correlation_name + "\n";
}

/// A launch of graph 5 at a time in ns: two kernels of which one runs beside the other for 0.6 ms, nothing
/// for 0.2 ms, a kernel of `third` ns, at its end one of an unknown phase, nothing for 0.1 ms, a fill.
std::string launch(int64_t at, int64_t third, const std::string& correlation) {
  const int64_t ends = at + 1800000 + third;
  return activity('K', at, at + 1000000, "5\t11\t" + correlation + "\t2") +
         activity('K', at + 400000, at + 1600000, "5\t12\t" + correlation + "\t1") +
         activity('K', at + 1800000, ends, "5\t13\t" + correlation + "\t1") +
         activity('K', ends, ends + 50000, "5\t14\t" + correlation + "\t1") +
         activity('C', ends + 150000, ends + 200000, "5\t12\t" + correlation + "\t3");
}

/// Three launches, of which the first is long, after two kernels that belong to no graph.
std::string three_launches() {
  return head + activity('K', 1000000, 1500000, "0\t0\t50\t1") +
         activity('K', 1600000, 1700000, "0\t0\t51\t2") + launch(2000000, 9000000, "100") +
         launch(20000000, 500000, "200") + launch(23000000, 700000, "300") + "X\t50\t3\n";
}

// Of the second and third launch, by hand: the third kernel takes 0.5 and 0.7 ms, so an iteration 2.5 and 2.7
// ms.
constexpr const char* iteration =
    "an iteration, the mean of 2 launches of one graph: 2.6000 ms from its first start to its last end;\n"
    "from one start to the next 3.0000 ms (median)\n"
    "\n"
    "  phase                                          kernels  copies         ms   share   gaps ms  overlap "
    "ms\n"
    "  energy step/lower bound                            1.0     0.0     1.0000  34.5 %    0.0000      "
    "0.6000\n"
    "  energy step/upper bound                            1.0     1.0     1.2500  43.1 %    0.1000      "
    "0.6000\n"
    "  generator step                                     1.0     0.0     0.6000  20.7 %    0.2000      "
    "0.0000\n"
    "  (unknown)                                          1.0     0.0     0.0500   1.7 %    0.0000      "
    "0.0000\n"
    "  all                                                4.0     1.0     2.9000 100.0 %    0.3000      "
    "0.6000\n"
    "\n"
    "          ms   share     count  the dearest kernels\n"
    "      1.8500  64.9 %       3.0  AddBias, elements, 16 bytes at once\n"
    "      1.0000  35.1 %       1.0  sm80_xmma_dgrad_tf32\n";

constexpr const char* outside =
    "outside of graphs, in all (gaps are what the host and graphs took in between):\n"
    "\n"
    "  phase                                          kernels  copies         ms   share   gaps ms  overlap "
    "ms\n"
    "  generator step                                     1.0     0.0     0.5000  83.3 %    0.0000      "
    "0.0000\n"
    "  (unknown)                                          1.0     0.0     0.1000  16.7 %    0.1000      "
    "0.0000\n"
    "  all                                                2.0     0.0     0.6000 100.0 %    0.1000      "
    "0.0000\n";

TEST_F(GpuTraceTest, SumsAnIterationByPhase) {
  const Finished said = read(three_launches() + "E\n");
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_TRUE(said.out.starts_with(iteration)) << said.out;
  expect_holds(said.out, outside);
}

TEST_F(GpuTraceTest, ReadsATraceWhoseEndIsMissing) {
  const Finished said = read(three_launches() + "K\t99");
  EXPECT_EQ(said.status, 0) << said.err;
  expect_holds(said.out,
               "note: the trace has no end: the program was ended from outside; what came before is shown\n");
  expect_holds(said.out, iteration);
}

TEST_F(GpuTraceTest, TellsPhasesApartAsDeepAsIsAsked) {
  expect_holds(read(three_launches(), {"--depth", "3"}).out, "\n  energy step/lower bound/lobpcg     ");
  const std::string shallow = read(three_launches(), {"--depth", "1"}).out;
  // Both kernels of one phase: it overlaps itself, and is counted once.
  expect_holds(
      shallow,
      "\n  energy step                                        2.0     1.0     2.2500  77.6 %    0.1000"
      "      0.6000\n");
}

TEST_F(GpuTraceTest, WithoutARepeatedGraphShowsAll) {
  const Finished said = read(head + launch(1000000, 500000, "100") + "W\tcuptiX: reason\nD\t3\nE\n");
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_TRUE(
      said.out.starts_with("note: cuptiX: reason\nnote: 3 records were dropped by CUPTI\n"
                           "no graph was launched twice, so no iteration is known; all that ran:\n"))
      << said.out;
  expect_holds(
      said.out,
      "\n  all                                                4.0     1.0     2.8000 100.0 %    0.3000"
      "      0.6000\n");
}

TEST_F(GpuTraceTest, LeavesOutWhatHasNoTimes) {
  const Finished said = read(three_launches() + activity('K', 0, 0, "5\t11\t300\t1") + "E\n");
  EXPECT_TRUE(said.out.starts_with("note: 1 kernels or copies have no times and are left out\n")) << said.out;
  expect_holds(said.out, iteration);
}

TEST_F(GpuTraceTest, RefusesWhatIsNoTrace) {
  const std::string file = tree_.path("trace.txt").string();
  for (const char* content : {"", "ebm trace 1", "ebm trace 2\n",
                              "\x7f"
                              "ELF\n\n"}) {
    expect_refused("gpu_trace", read(content), 1, file + " is no trace: ");
  }
  for (const char* line : {"Q\t1", "K\t1\t2", "N\tone\t2", "P", ""}) {
    expect_refused("gpu_trace", read(std::string("ebm trace 1\nE\n") + line + "\nE\n"), 1,
                   file + ", line 3: \"" + line + "\" is no line of a trace");
  }
}

TEST_F(GpuTraceTest, SaysSoWhereNoKernelRan) {
  const Finished said = read(std::string(head) + "E\n");
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.out, "no kernel was traced; 3 phases were named\n");
}

/// A vendor's name of thousands of nested parentheses is shortened at once.
TEST_F(GpuTraceTest, TakesLongNames) {
  std::string nested;
  for (int i = 0; i < 4000; ++i) nested += "(a";
  nested += std::string(4000, ')');
  const Finished said =
      read("ebm trace 1\nF\t1\tvoid kernel<int>" + nested + "\nF\t2\tvoid " + std::string(300, 'k') + "((\n" +
           activity('K', 1, 5, "0\t0\t1\t1") + activity('K', 5, 7, "0\t0\t2\t2") + "E\n");
  expect_holds(said.out, "  kernel<int>\n");
  expect_holds(said.out, "  " + std::string(107, 'k') + "...\n");
}

/// tests/emulated_cuda/cupti/planted_trace.cpp.
class Tracer : public GpuTraceTest {
 protected:
  void SetUp() override {
    GpuTraceTest::SetUp();
    if (!IsSkipped() && program_path("planted_trace").empty()) GTEST_SKIP() << "CUPTI's headers are not here";
  }
  Finished trace(const std::string& option) const {
    return run_command({"/bin/sh", "-c",
                        "EBM_TRACE='" + tree_.path("planted.txt").string() + "' '" +
                            program_path("planted_trace") + "' " + option});
  }
};

TEST_F(Tracer, KeepsThePhaseInWhichANodeWasRecorded) {
  const Finished ran = trace("");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(
      tree_.content("planted.txt"),
      "ebm trace 1\n"
      "P\t1\tbefore CUDA starts\nP\t2\tenergy step\nP\t3\tenergy step/lower bound\nN\t1\t3\n"
      "P\t4\tenergy step/upper bound\nN\t2\t4\nP\t5\tinstantiate\nN\t11\t5\nN\t11\t3\nN\t12\t4\n"
      "X\t5\t4\n"
      "F\t1\tvoid ebm::cuda::elements_kernel<ebm::Neighbours<float>, ebm::AddBias>(ebm::AddBias)\n"
      "K\t100\t200\t0\t7\t0\t0\t5\t1\nF\t2\tplain_c_name\nK\t210\t220\t0\t7\t0\t0\t6\t2\n"
      "K\t8000\t8300\t0\t7\t4\t11\t8\t1\nF\t3\tfill\nC\t8200\t8400\t0\t8\t4\t12\t8\t3\n"
      "F\t4\tcopy on the GPU\nC\t8500\t8600\t0\t7\t4\t13\t8\t4\n"
      "K\t9000\t9300\t0\t7\t4\t11\t9\t1\nC\t9200\t9400\t0\t8\t4\t12\t9\t3\nC\t9500\t9600\t0\t7\t4\t13\t9\t4\n"
      "D\t7\nE\n");
  EXPECT_EQ(
      run_command({script_path("gpu_trace").string(), "--read", tree_.path("planted.txt").string()}).status,
      0);
}

TEST_F(Tracer, GoesOnWithoutWhatCuptiRefuses) {
  const Finished ran = trace("refuse");
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "gpu_trace: cuptiActivityEnable of copies: CUPTI_ERROR_NOT_COMPATIBLE\n");
  const std::string written = tree_.content("planted.txt");
  expect_holds(written, "W\tcuptiActivityEnable of copies: CUPTI_ERROR_NOT_COMPATIBLE\n");
  expect_holds(written, "K\t9000\t9300\t0\t7\t4\t11\t9\t1\n");
}

TEST_F(Tracer, LeavesTheTraceOfAnotherProcessAlone) {
  std::ofstream(tree_.path("planted.txt")) << "of the first process\n";
  EXPECT_EQ(trace("").status, 0);
  EXPECT_EQ(tree_.content("planted.txt"), "of the first process\n");
}

TEST_F(GpuTraceTest, NamesThePhasesOfAProgramOnTheEmulatedGpu) {
  if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
  if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  if (!fs::exists(program_folder() / "../lib/libebm_trace.so"))
    GTEST_SKIP() << "this build has no libebm_trace.so";
  const std::string kept = tree_.path("kept.txt").string();
  const Finished said = run_command(
      {"/usr/bin/env", "EBM_CUDA_LIBRARY=" + emulated_library(), script_path("gpu_trace").string(),
       "--emulated", "--keep", kept, program_path("toy_bb"), "--preset", "paper", "--device", "cuda",
       "--iterations", "1", "--batch", "16", "--hidden", "8", "--out", tree_.path("run").string()});
  EXPECT_EQ(said.status, 0) << said.out << said.err;
  expect_holds(said.out, "no kernel was traced; ");
  for (const char* phase : {"energy step/upper bound", "generator step/lower bound", "generator step/adam"})
    expect_holds(said.out, std::string("\n  ") + phase + "\n");
  expect_holds(tree_.content("kept.txt"), "\tenergy step/lower bound/forward_jvp/main/0\n");
  // A trace that is there is somebody's.
  expect_refused("gpu_trace",
                 run_command({script_path("gpu_trace").string(), "--keep", kept, program_path("toy_bb")}), 1,
                 kept + " exists");
}

}  // namespace
}  // namespace ebm::test
