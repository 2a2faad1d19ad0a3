// SPDX-License-Identifier: MIT
#include "io/program.h"

#include <csignal>
#include <cstdio>
#include <new>

#include "core/error.h"

namespace ebm {

int run_program(const char* program, const std::function<int()>& body) {
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  try {
    return body();
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: there is not enough memory; use a smaller batch, network or grid\n", program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 1;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

}  // namespace ebm
