// SPDX-License-Identifier: MIT
// The text: a line that says what it is, one that says what the choices hold for, one with a checksum of all
// that follows, and a line PLAN: PASS for each choice, sorted by pass.
#include "kernels/cuda/plan_choices.h"

#include <optional>
#include <sstream>

#include "core/fnv.h"

namespace ebm::cuda {

namespace {

constexpr const char* title = "ebm convolution plans 1";
constexpr const char* separator = ": ";

std::string checksum_of(const std::string& text) {
  return fnv1a({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

std::string headed(const std::string& holds_for, const std::string& lines) {
  return std::string(title) + "\nfor " + holds_for + "\nchecksum " + checksum_of(lines) + "\n" + lines;
}

/// The lines behind the header of `text`, wherever they hold; nothing if they are not as they were written.
std::optional<std::string> lines_of(const std::string& text) {
  size_t end = 0;
  for (int line = 0; line < 3; ++line) {
    end = text.find('\n', end);
    if (end == std::string::npos) return std::nullopt;
    ++end;
  }
  const std::string lines = text.substr(end);
  const std::string checked = "\nchecksum " + checksum_of(lines) + "\n";
  const bool whole =
      text.starts_with(std::string(title) + "\nfor ") && text.substr(0, end).ends_with(checked);
  return whole ? std::optional(lines) : std::nullopt;
}

}  // namespace

void PlanChoices::begin(const std::string& holds_for) {
  if (begun_) return;
  begun_ = true;
  holds_for_ = holds_for;
  if (kept_.text.empty()) return;
  const std::optional<std::string> lines = lines_of(kept_.text);
  if (!lines) return note("it is damaged, or none of its kind");
  if (kept_.text != headed(holds_for, *lines))
    return note("it holds for another GPU or cuDNN than " + holds_for);
  std::istringstream in(*lines);
  for (std::string line; std::getline(in, line);) {
    const size_t middle = line.find(separator);
    if (middle != std::string::npos) plans_[line.substr(middle + 2)] = line.substr(0, middle);
  }
}

const std::string* PlanChoices::find(const std::string& pass) const {
  const auto found = plans_.find(pass);
  return found != plans_.end() ? &found->second : nullptr;
}

void PlanChoices::put(const std::string& pass, const std::string& plan) {
  plans_[pass] = plan;
  changed_ = true;
}

void PlanChoices::forget(const std::string& pass) {
  note("there is no " + plans_[pass] + " for the " + pass);
  plans_.erase(pass);
}

void PlanChoices::keep() {
  if (!changed_) return;
  kept_.keep(text());
  changed_ = false;
}

std::string PlanChoices::text() const {
  std::string lines;
  for (const auto& [pass, plan] : plans_) lines += plan + separator + pass + "\n";
  return headed(holds_for_, lines);
}

void PlanChoices::note(const std::string& why) const {
  std::fprintf(stderr, "note: %s is not used, since %s; what is missing is measured\n", kept_.name.c_str(),
               why.c_str());
}

}  // namespace ebm::cuda
