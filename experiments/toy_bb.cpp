// SPDX-License-Identifier: MIT
// Section 5.2: an energy-based model of points in the plane.
#include <cstdio>

#include "io/program.h"
#include "runs/toy_run.h"

int main(int argc, char** argv) {
  return ebm::run_program("toy_bb", [&] {
    ebm::ToyConfig config;
    ebm::Options options =
        ebm::declare_toy_options(config, "toy_bb", "Trains an energy-based model of points in the plane.");
    if (!options.parse(argc, argv)) return 0;
    ebm::resolve_toy_defaults(options, config);

    const auto kernels = ebm::open_kernels(config.run.device);
    std::printf("device: %s\n", kernels->description().c_str());
    std::fflush(stdout);
    const auto environment = ebm::run_environment(argc, argv, *kernels);
    const ebm::RunEnd end = ebm::run_toy(*kernels, config, options, environment).end;
    if (end.stop) return ebm::report_stop(*end.stop, end.iteration);
    std::printf("done: %s iterations; picture %s/density.png, metrics %s/run.h5\n",
                ebm::format_count(end.iteration).c_str(), config.run.out.c_str(), config.run.out.c_str());
    return 0;
  });
}
