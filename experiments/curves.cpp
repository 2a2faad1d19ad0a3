// SPDX-License-Identifier: MIT
// Draws the metrics of runs by iteration, also of runs that go on.
//
//   ./experiments/curves runs/cifar10_ebm_bb_tuned_1 --picture curves.pdf --metrics "energy_real energy_fake,penalty"
#include <cstdio>

#include "io/options.h"
#include "io/program.h"
#include "plot/figure.h"
#include "report/metric_curves.h"

namespace {

using namespace ebm;

constexpr size_t most_points = 4000;  // of a curve: more than a page has dots for
constexpr size_t panels_a_row = 4;

struct Config {
  std::vector<std::string> runs;
  std::string picture = "curves.png",
              metrics = "energy_real energy_fake,penalty,entropy,loss_energy loss_generator";
};

struct Run {
  std::string name;
  MetricTable metrics;
};

Run read_run(const std::string& given) {
  const std::filesystem::path path(given);
  std::error_code ignored;
  const std::filesystem::path log = is_directory(path, ignored) ? path / "run.h5" : path;
  return {.name = std::filesystem::absolute(log).parent_path().filename().string(),
          .metrics = read_run_log(log).metrics};
}

std::vector<std::string> words_of(const std::string& text, char between) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == between) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, "");
  return words;
}

bool has(const MetricTable& table, const std::string& name) {
  return std::find(table.names.begin(), table.names.end(), name) != table.names.end();
}

/// The metrics of all runs that have them, a line each; runs differ in colour, metrics of a run in dashes, and one
/// run's in colour.
Panel panel_of(const std::vector<std::string>& metrics, const std::vector<Run>& runs) {
  constexpr Dash dashes[] = {Dash::solid, Dash::dashed, Dash::dotted};
  Curves curves{.lines = {}, .x_label = "iteration"};
  for (size_t r = 0; r < runs.size(); ++r) {
    for (size_t m = 0; m < metrics.size(); ++m) {
      if (!has(runs[r].metrics, metrics[m])) continue;
      const MetricCurve curve = thinned(metric_curve(runs[r].metrics, metrics[m]), most_points);
      const bool alone = runs.size() == 1;
      curves.lines.push_back({.name = alone ? metrics[m] : runs[r].name + ": " + metrics[m],
                              .x = {curve.iterations.begin(), curve.iterations.end()},
                              .y = curve.values,
                              .ink = curve_ink(alone ? m : r),
                              .dash = alone ? Dash::solid : dashes[m % std::size(dashes)],
                              .width = 1.2});
    }
  }
  std::string title;
  for (const std::string& metric : metrics) title += (title.empty() ? "" : ", ") + metric;
  return {.title = title, .content = std::move(curves)};
}

int draw_curves(int argc, char** argv) {
  Config config;
  Options options("curves", "Draws the metrics of runs by iteration.");
  options.add_arguments("RUN", &config.runs, "folders of runs, or their run.h5");
  options.add("picture", &config.picture, "its file: .png, .svg or .pdf");
  options.add("metrics", &config.metrics,
              "columns of run.h5: a panel each between commas, several in a panel between blanks");
  if (!options.parse(argc, argv)) return 0;
  (void)picture_format(config.picture);
  std::vector<Run> runs;
  for (const std::string& run : config.runs) runs.push_back(read_run(run));

  Figure figure{.panel_size = 200, .aspect = 1.5, .scale = 1.5};
  for (const std::string& group : words_of(config.metrics, ',')) {
    const Panel panel = panel_of(words_of(group, ' '), runs);
    if (std::get<Curves>(panel.content).lines.empty())
      throw Error("no run has a metric of '" + group + "'; give --metrics of columns that its run.h5 has");
    if (figure.rows.empty() || figure.rows.back().size() == panels_a_row) figure.rows.emplace_back();
    figure.rows.back().push_back(panel);
  }
  save_figure(config.picture, figure);
  std::printf("%s\n", config.picture.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("curves", [&] { return draw_curves(argc, argv); });
}
