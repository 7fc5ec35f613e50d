#include "support/ggml_guard.h"

#include <cstdio>
#include <cstring>
#include <mutex>

#include "ggml.h"

namespace enc {
namespace {

thread_local int guards_on_this_thread = 0;

/// Installed for good: without a callback ggml forks a debugger onto the host process before it aborts.
void on_abort(const char* message) {
  if (guards_on_this_thread > 0) throw GgmlAbort(message);
  std::fprintf(stderr, "ggml-encoder: %s\n", message);
}

/// What matters comes back as an error; a library has no business writing to its host's stderr.
void ignore_log(ggml_log_level, const char*, void*) {}

/// The words of ggml_hooks/checked_alloc.c.
ErrorCode code_of(const char* message) {
  return std::strstr(message, "out of memory") != nullptr ? ErrorCode::out_of_memory : ErrorCode::internal;
}

}  // namespace

GgmlAbort::GgmlAbort(const char* message) : Error(code_of(message), std::string("ggml: ") + message) {}

GgmlGuard::GgmlGuard() {
  static std::once_flag installed;
  std::call_once(installed, [] {
    ggml_set_abort_callback(on_abort);
    ggml_log_set(ignore_log, nullptr);
  });
  guards_on_this_thread++;
}

GgmlGuard::~GgmlGuard() {
  guards_on_this_thread--;
}

}  // namespace enc
