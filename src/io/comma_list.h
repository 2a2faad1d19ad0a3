// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ebm {

/// "a,b" as a, b; without the empty ones.
[[nodiscard]] inline std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : text.size());
  }
  return parts;
}

/// The way back.
[[nodiscard]] inline std::string comma_text(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

}  // namespace ebm
