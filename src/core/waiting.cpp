// SPDX-License-Identifier: MIT
#include "core/waiting.h"

#include <sched.h>
#include <unistd.h>

namespace ebm {

namespace {

std::string seconds_text(double seconds) {
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void Waiting::rest() const {
  constexpr double long_wait = 2;
  constexpr useconds_t nap = 200;
  if (seconds() > long_wait)
    usleep(nap);
  else
    sched_yield();
}

Error no_answer(double seconds, const std::string& call) {
  return Error("the other processes did not answer for " + seconds_text(seconds) + " s (" + call +
               "): one of them hangs, or is slower than that; EBM_RANK_TIMEOUT names the seconds");
}

}  // namespace ebm
