// SPDX-License-Identifier: MIT
// Figure 3: what a run's estimates of the entropy (evaluate/entropy_estimates.h) were, as curves.
#pragma once

#include "io/run_log.h"
#include "plot/figure.h"

namespace ebm {

/// `paper`: the paper's four curves. `more`: beside them a panel with other estimates, of SLQ and preconditioned LOBPCG.
enum class Figure3Panels { paper, more };

/// Of the metrics of a run. Throws Error when they hold no such estimates.
Figure figure3(const MetricTable& metrics, Figure3Panels panels, const std::string& caption);

}  // namespace ebm
