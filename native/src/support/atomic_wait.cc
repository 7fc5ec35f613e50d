#include "support/atomic_wait.h"

#ifdef _WIN32
#include <windows.h>
#endif

namespace enc {

#ifdef _WIN32

void wait_while_equal(const std::atomic<int>& value, int old) {
  static_assert(sizeof value == sizeof old);
  while (value.load(std::memory_order_acquire) == old) {
    WaitOnAddress(const_cast<std::atomic<int>*>(&value), &old, sizeof old, INFINITE);
  }
}

void wake_one(std::atomic<int>& value) {
  WakeByAddressSingle(&value);
}

void wake_all(std::atomic<int>& value) {
  WakeByAddressAll(&value);
}

#else

void wait_while_equal(const std::atomic<int>& value, int old) {
  value.wait(old, std::memory_order_acquire);
}

void wake_one(std::atomic<int>& value) {
  value.notify_one();
}

void wake_all(std::atomic<int>& value) {
  value.notify_all();
}

#endif

}  // namespace enc
