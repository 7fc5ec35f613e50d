// A thread whose stack has the same size on every system.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

namespace enc {

/// Bytes of a thread's stack. The default is 128 KiB on musl, 512 KiB on macOS, and what the shell's `ulimit
/// -s` says on glibc. No recursion here goes by the input, and memory that is not touched costs nothing.
inline constexpr size_t kThreadStackBytes = size_t(2) << 20;

/// std::thread with a stack of kThreadStackBytes. Join it before it goes.
class Thread {
 public:
  Thread() = default;
  /// Starts `body`, which must not throw. Throws std::system_error where the system refuses a thread.
  explicit Thread(std::function<void()> body);
  Thread(Thread&& other) noexcept : handle_(std::exchange(other.handle_, std::nullopt)) {}
  Thread& operator=(Thread&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  bool joinable() const noexcept { return handle_.has_value(); }
  void join();

 private:
  std::optional<pthread_t> handle_;
};

}  // namespace enc
