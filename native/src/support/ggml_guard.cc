#include "support/ggml_guard.h"

#include <cstdio>
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

// Fixed: the memory that an error speaks of may be all gone.
constexpr size_t kMaxErrorBytes = 512;
thread_local char errors_on_this_thread[kMaxErrorBytes];
thread_local size_t num_error_bytes = 0;

/// What matters comes back as an error; a library has no business writing to its host's stderr.
void keep_errors(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR || guards_on_this_thread == 0) return;
  for (; *text != '\0' && num_error_bytes < kMaxErrorBytes; text++) {
    const char c = *text == '\n' ? ' ' : *text;
    const bool repeats =
        c == ' ' && (num_error_bytes == 0 || errors_on_this_thread[num_error_bytes - 1] == ' ');
    if (!repeats) errors_on_this_thread[num_error_bytes++] = c;
  }
}

/// The words of ggml_hooks/checked_alloc.c and CUDA, and those of Vulkan.
ErrorCode code_of(const std::string& message) {
  for (const char* words : {"out of memory", "OutOfDeviceMemory", "OutOfHostMemory"}) {
    if (message.find(words) != std::string::npos) return ErrorCode::out_of_memory;
  }
  return ErrorCode::internal;
}

std::string with_errors(const char* message) {
  const std::string said = ggml_errors();
  return said.empty() ? message : std::string(message) + ": " + said;
}

}  // namespace

GgmlAbort::GgmlAbort(const char* message)
    : Error(code_of(with_errors(message)), "ggml: " + with_errors(message)) {}

std::string ggml_errors() {
  size_t count = num_error_bytes;
  while (count > 0 && errors_on_this_thread[count - 1] == ' ') count--;
  return std::string(errors_on_this_thread, count);
}

GgmlGuard::GgmlGuard() {
  static std::once_flag installed;
  std::call_once(installed, [] {
    ggml_set_abort_callback(on_abort);
    ggml_log_set(keep_errors, nullptr);
  });
  if (guards_on_this_thread++ == 0) num_error_bytes = 0;
}

GgmlGuard::~GgmlGuard() {
  guards_on_this_thread--;
}

}  // namespace enc
