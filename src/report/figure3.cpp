// SPDX-License-Identifier: MIT
#include "report/figure3.h"

#include "report/metric_curves.h"

namespace ebm {

namespace {

/// The paper's colours.
constexpr Rgb red{200, 30, 30}, black{0, 0, 0}, blue{30, 80, 200}, green{20, 130, 60}, orange{230, 130, 0},
    violet{140, 60, 170};

Polyline line_of(const MetricTable& metrics, const char* column, const char* name, Rgb ink,
                 Dash dash = Dash::solid) {
  const MetricCurve curve = metric_curve(metrics, column);
  return {.name = name,
          .x = {curve.iterations.begin(), curve.iterations.end()},
          .y = curve.values,
          .ink = ink,
          .dash = dash};
}

Panel panel_of(const char* title, std::vector<Polyline> lines) {
  return {.title = title,
          .content = Curves{
              .lines = std::move(lines), .x_label = "iteration", .y_label = "entropy less that of z (nats)"}};
}

}  // namespace

Figure figure3(const MetricTable& metrics, Figure3Panels panels, const std::string& caption) {
  const Polyline truth = line_of(metrics, "entropy_log_det", "ground truth, ½ log det JᵀJ", black);
  const Polyline s1 = line_of(metrics, "entropy_s1", "d log s₁, high precision", green);
  const Polyline ours = line_of(metrics, "entropy_lobpcg", "ours, d log s₁ by LOBPCG", red);
  std::vector<Panel> row{panel_of(
      "Entropy estimators",
      {line_of(metrics, "entropy_hutchinson", "Hutchinson (Kumar et al. 2020)", blue), truth, ours, s1})};
  if (panels == Figure3Panels::more) {
    row.push_back(panel_of(
        "Other estimators",
        {line_of(metrics, "entropy_trace_bound", "d/2 log(tr JᵀJ / d)", blue, Dash::dashed), truth,
         line_of(metrics, "entropy_slq", "Lanczos quadrature", orange),
         line_of(metrics, "entropy_lobpcg_preconditioned", "LOBPCG, preconditioned", violet), ours, s1}));
  }
  return {.rows = {row}, .caption = caption, .panel_size = 280, .aspect = 1.6, .scale = 1.5};
}

}  // namespace ebm
