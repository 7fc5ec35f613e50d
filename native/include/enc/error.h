// The one exception type of the library. Codes are the same words as in src/errors.ts; a test compares them.
#pragma once

#include <stdexcept>
#include <string>

namespace enc {

#define ENC_ERROR_CODES(X)    \
  X(checkpoint_not_found)     \
  X(checkpoint_malformed)     \
  X(architecture_unsupported) \
  X(tensor_missing)           \
  X(tensor_shape_mismatch)    \
  X(dtype_unsupported)        \
  X(weights_not_finite)       \
  X(model_not_found)          \
  X(gguf_malformed)           \
  X(tokenizer_missing)        \
  X(tokenizer_unsupported)    \
  X(hub_not_found)            \
  X(hub_unauthorized)         \
  X(hub_rate_limited)         \
  X(hub_unreachable)          \
  X(hub_offline)              \
  X(hub_response_invalid)     \
  X(hub_download_corrupt)     \
  X(input_invalid)            \
  X(input_too_long)           \
  X(limit_exceeded)           \
  X(queue_full)               \
  X(device_unavailable)       \
  X(isa_unsupported)          \
  X(out_of_memory)            \
  X(output_exists)            \
  X(io_failed)                \
  X(model_disposed)           \
  X(method_detached)          \
  X(model_poisoned)           \
  X(process_died)             \
  X(aborted)                  \
  X(addon_missing)            \
  X(addon_failed)             \
  X(internal)

enum class ErrorCode {
#define ENC_ENUM(name) name,
  ENC_ERROR_CODES(ENC_ENUM)
#undef ENC_ENUM
};

/// The code as written in `EncoderError.code`.
constexpr const char* error_code_name(ErrorCode code) {
  switch (code) {
#define ENC_NAME(name)  \
  case ErrorCode::name: \
    return #name;
    ENC_ERROR_CODES(ENC_NAME)
#undef ENC_NAME
  }
  return "internal";
}

/// `what()` says what failed, on what, and what to do about it.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace enc
