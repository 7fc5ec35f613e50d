// ggml ends the process when one of its assertions fails. Our checks come first; this turns an assertion that
// is reached all the same into an exception on the thread that reached it.
#pragma once

#include "enc/error.h"

namespace enc {

/// A failed assertion inside ggml. The ggml objects in use are in an unknown state: leave them alone.
class GgmlAbort : public Error {
 public:
  explicit GgmlAbort(const char* message) : Error(ErrorCode::internal, std::string("ggml: ") + message) {}
};

/// While one lives on a thread, ggml's aborts on that thread throw GgmlAbort. Other threads abort as ever.
class GgmlGuard {
 public:
  GgmlGuard();
  ~GgmlGuard();
  GgmlGuard(const GgmlGuard&) = delete;
  GgmlGuard& operator=(const GgmlGuard&) = delete;
};

}  // namespace enc
