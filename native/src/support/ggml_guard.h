// ggml ends the process when one of its assertions fails. Our checks come first; this turns an assertion that
// is reached all the same into an exception on the thread that reached it.
#pragma once

#include <string>

#include "enc/error.h"

namespace enc {

/// A failed assertion or allocation inside ggml, with code internal or out_of_memory. The ggml objects in use
/// are in an unknown state: they must neither be used nor freed.
class GgmlAbort : public Error {
 public:
  explicit GgmlAbort(const char* message);
};

/// While one lives on a thread, ggml's aborts on that thread throw GgmlAbort through ggml's C frames, which
/// are compiled with -fexceptions for it. Other threads abort as ever, so ggml must not run threads of its
/// own: every CPU backend here has one thread, the caller's.
class GgmlGuard {
 public:
  GgmlGuard();
  ~GgmlGuard();
  GgmlGuard(const GgmlGuard&) = delete;
  GgmlGuard& operator=(const GgmlGuard&) = delete;
};

/// What ggml has logged as errors on this thread since its outermost guard began, joined by spaces; a GPU
/// backend says there why it gave up. At most some hundred bytes.
std::string ggml_errors();

}  // namespace enc
