// What becomes of a model when ggml fails in the middle of its work.
#pragma once

#include <atomic>

#include "enc/error.h"

namespace enc {

/// Whether a model's answers can still be trusted. Shared by its threads.
class Health {
 public:
  bool is_poisoned() const noexcept { return poisoned_.load(std::memory_order_relaxed); }
  void poison() noexcept { poisoned_.store(true, std::memory_order_relaxed); }
  /// One more set of ggml objects was given up, and with it its memory.
  void count_abandoned() noexcept {
    if (abandoned_.fetch_add(1, std::memory_order_relaxed) + 1 >= kMaxAbandoned) poison();
  }
  /// Throws Error(model_poisoned) once the model is poisoned.
  void require() const {
    if (!is_poisoned()) return;
    throw Error(ErrorCode::model_poisoned,
                "the model is unusable after an earlier fault in the tensor library; load it again");
  }

 private:
  /// What is abandoned is never freed: a model that keeps running out of memory must end some time.
  static constexpr int kMaxAbandoned = 16;

  std::atomic<bool> poisoned_ = false;
  std::atomic<int> abandoned_ = 0;
};

}  // namespace enc
