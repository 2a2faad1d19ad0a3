// SPDX-License-Identifier: MIT
// Every way that cuDNN and tiles of CUTLASS know to each convolution of an iteration: whether it runs, whether it is right, how
// long it takes on the GPU at hand. Built where nvcc and cuDNN's headers are; needs a GPU.
//
//   build/bin/convolution_plans --experiment cifar10_bb
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "core/error.h"
#include "io/options.h"
#include "io/program.h"
#include "kernels/cuda/cudnn/trial.h"
#include "kernels/recorder/recorder.h"
#include "products.h"
#include "runs/sample_run.h"

namespace {

using namespace ebm;
using namespace ebm::cuda;

using Requests = std::map<decltype(PlanRequest{}.key()), PlanRequest>;

struct Config {
  SampleRunOptions run;
  NetworkKind networks = NetworkKind::dcgan;
  int64_t width = 0;
  int64_t plans = 64, products = 4096;
};

Options declare_options(Config& config) {
  Options options("convolution_plans",
                  "Prints every plan of cuDNN and CUTLASS for each convolution of an iteration, tried and "
                  "timed on GPU 0.");
  options.add_choice("experiment", &config.networks,
                     {{"cifar10_bb", NetworkKind::dcgan}, {"animeface_bb", NetworkKind::resnet}},
                     "whose iteration");
  options.add("batch", &config.run.batch, "images of an iteration; 0: the experiment's", {0, 1 << 20});
  options.add("width", &config.width, "of the networks; 0: the experiment's", {0, 1 << 20});
  options.add_choice("precision", &config.run.precision, choices(precision_names), "of training");
  options.add_choice("jacobian", &config.run.jacobian, choices(jacobian_names), "of the bounds");
  options.add("plans", &config.plans, "at most so many for each convolution", {1, 1000});
  options.add("products", &config.products, "size of the matrices whose products are timed first",
              {1, 1 << 15});
  return options;
}

/// The convolutions of one iteration, each once.
Requests requests_of(const Config& config) {
  SampleRunOptions options = config.run;
  options.networks = config.networks == NetworkKind::dcgan ? dcgan_networks() : resnet_networks();
  if (config.width > 0) options.networks.width = config.width;
  const auto recorder = make_recorder();
  SampleRun sample(*recorder, options);
  Requests requests;
  for (const Launch& launch : recorder->record([&] { sample.method().iterate(); })) {
    std::visit(
        [&](const auto& pass) {
          if constexpr (requires { request_of(pass); }) {
            const PlanRequest request = request_of(pass);
            if (request.shape.rows > 0) requests.emplace(request.key(), request);
          }
        },
        launch.convolution);
  }
  return requests;
}

/// True float32 on channels last is often done by turning all three arrays to channels first and back: such a
/// plan's workspace holds just them.
const char* layout_of(const Plan& plan, const PlanRequest& request) {
  constexpr int64_t beside = 16;
  const ConvolutionShape& s = request.shape;
  const int64_t arrays = s.rows * s.input.size() + s.weights() + s.rows * s.output().size();
  return plan.workspace_bytes() == arrays * size_of(request.type()) + beside ? "transposes" : "NHWC";
}

struct Row {
  double milliseconds = std::numeric_limits<double>::infinity();
  std::string text;
};

Row tried(const Plan& plan, const PlanRequest& request, Trials& trials) {
  const Verdict verdict = trials.judge(plan);
  const std::string what = fmt::format("{:<44} {:<10} {:>9.2f}", plan.name(), layout_of(plan, request),
                                       static_cast<double>(plan.workspace_bytes()) / (1 << 20));
  if (!verdict.fault.empty()) return {.text = fmt::format("  {}  LEFT OUT: {}\n", what, verdict.fault)};
  const double milliseconds = trials.milliseconds(plan);
  return {.milliseconds = milliseconds,
          .text = fmt::format("  {} {:>9.4f} {:>9.2f} {:>9.1e}\n", what, milliseconds,
                              request.shape.flop() / milliseconds * 1e-9, verdict.error)};
}

/// All plans of one request, the fastest first.
void print_plans(const PlanRequest& request, const Config& config, const Context& context,
                 const CudnnHandle& handle, void* arena) {
  fmt::print("\n{}\n", to_string(request));
  Trials trials(request, context, handle.get(), arena);
  std::vector<Row> rows;
  for (const Plan& plan : all_plans(handle.cudnn(), handle.get(), context, request,
                                    {.bits = Bits::any, .most = static_cast<size_t>(config.plans)})) {
    rows.push_back(tried(plan, request, trials));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.milliseconds < b.milliseconds; });
  for (const Row& row : rows) fmt::print("{}", row.text);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  const Context context(0);
  const CudnnHandle handle(context.stream());
  const cuda::DeviceBlock arena(arena_bytes);
  print_products(context, config.products);
  const Requests requests = requests_of(config);
  fmt::print("{}, cuDNN {}: {} convolutions of {}\n", context.description(), handle.cudnn().version(),
             requests.size(), config.networks == NetworkKind::dcgan ? "cifar10_bb" : "animeface_bb");
  fmt::print("  {:<44} {:<10} {:>9} {:>9} {:>9} {:>9}\n", "plan", "layout", "MiB", "ms", "TFLOP/s", "error");
  for (const auto& [key, request] : requests) print_plans(request, config, context, handle, arena.data());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("convolution_plans", [&] { return run(argc, argv); });
}
