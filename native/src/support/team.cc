#include "support/team.h"

#include <chrono>
#include <exception>

#include "support/atomic_wait.h"

namespace enc {
namespace {

/// Long enough to bridge the gap between two operations of one graph, short enough to cost nothing when the
/// machine is busy with something else.
constexpr auto kSpin = std::chrono::microseconds(50);

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits until `value` is no longer `old`: spinning first, then asleep.
void wait_for_change(const std::atomic<int>& value, int old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  while (value.load(std::memory_order_acquire) == old) {
    for (int i = 0; i < 32; i++) pause();
    if (std::chrono::steady_clock::now() >= deadline) {
      wait_while_equal(value, old);
      return;
    }
  }
}

}  // namespace

Team::Team(int helpers) {
  threads_.reserve(size_t(helpers));
  try {
    for (int i = 0; i < helpers; i++) threads_.emplace_back([this, member = i + 1] { help(member); });
  } catch (const std::exception&) {
    // A container's limit on threads, or no memory for one more: the team is smaller.
  }
}

Team::~Team() {
  stopping_ = true;
  generation_.fetch_add(1);
  wake_all(generation_);
  for (Thread& thread : threads_) thread.join();
}

void Team::take_tasks(int member) {
  for (;;) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) return;
    invoke_(task_, index, member);
  }
}

void Team::run_erased(size_t count, const void* task, Invoke invoke) {
  task_ = task;
  invoke_ = invoke;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  // A helper announces itself inside before it looks whether the team is open; the caller closes before it
  // looks who is inside. In one total order, no helper can be missed and none can read the fields of a task
  // that is over.
  open_.store(true);
  generation_.fetch_add(1);
  wake_all(generation_);
  take_tasks(0);
  open_.store(false);
  for (int inside = inside_.load(); inside != 0; inside = inside_.load()) wait_for_change(inside_, inside);
}

void Team::help(int member) {
  int seen = 0;
  while (!stopping_) {
    wait_for_change(generation_, seen);
    seen = generation_.load();
    inside_.fetch_add(1);
    if (open_.load()) take_tasks(member);
    inside_.fetch_sub(1);
    wake_one(inside_);
  }
}

}  // namespace enc
