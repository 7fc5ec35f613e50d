// enc_tests [--list] [name ...]: runs all native tests, or those named. Exit status 1 when a check failed.
#include <cstdio>
#include <cstring>
#include <exception>

#include "check.h"

int main(int argc, char** argv) {
  using namespace enc::test;
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const Test& test : all_tests()) std::puts(test.name);
    return 0;
  }
  int run = 0;
  for (const Test& test : all_tests()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; i++) wanted |= std::strcmp(argv[i], test.name) == 0;
    if (!wanted) continue;
    run++;
    const int failures_before = failure_count();
    try {
      test.run();
    } catch (const std::exception& error) {
      failure_count()++;
      std::fprintf(stderr, "%s: unexpected exception: %s\n", test.name, error.what());
    }
    std::printf("%s %s\n", failure_count() == failures_before ? "ok" : "FAILED", test.name);
    std::fflush(stdout);  // what a sanitizer ends has said how far it came
  }
  return run > 0 && failure_count() == 0 ? 0 : 1;
}
