// SPDX-License-Identifier: MIT
// The style sheet and the script of a run report.
#pragma once

#include <string_view>

namespace ebm {

std::string_view report_style();
/// Reads <script id="data"> (run_report.cpp) and draws curves that can be zoomed and hovered over, moves the
/// pictures' slider, and changes the theme. Loads nothing.
std::string_view report_script();

}  // namespace ebm
