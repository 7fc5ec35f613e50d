// Threads that help inside one operation when there are fewer texts in flight than threads. No barrier: tasks
// are taken from a counter, so a helper that the operating system keeps away holds up at most the task it has
// in hand.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "enc/thread.h"

namespace enc {

class Team {
 public:
  /// Starts `helpers` threads; fewer when the system refuses more.
  explicit Team(int helpers);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// The calling thread and the helpers.
  int size() const { return 1 + int(threads_.size()); }

  /// Calls task(index, member) for each index in [0, count), each once, members in [0, size()) with 0 the
  /// caller, and returns when all are done. Tasks must not throw. One caller at a time.
  template <typename Task>
  void run(size_t count, const Task& task) {
    run_erased(count, &task, [](const void* erased, size_t index, int member) {
      (*static_cast<const Task*>(erased))(index, member);
    });
  }

 private:
  using Invoke = void (*)(const void* task, size_t index, int member);

  void run_erased(size_t count, const void* task, Invoke invoke);
  void take_tasks(int member);
  void help(int member);

  // Written by the caller while open_ is false and nobody is inside.
  const void* task_ = nullptr;
  Invoke invoke_ = nullptr;
  size_t count_ = 0;

  alignas(64) std::atomic<size_t> next_ = 0;
  alignas(64) std::atomic<bool> open_ = false;
  std::atomic<int> inside_ = 0;  ///< helpers that may be reading the fields above
  alignas(64) std::atomic<int> generation_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<Thread> threads_;
};

/// One thread's claim on a team that several threads share: whoever finds it free has its helpers for one
/// operation.
class TeamLease {
 public:
  /// `is_helpful` says whether a core is idle enough for helpers to be worth waking. Both must outlive the
  /// lease.
  TeamLease(Team& team, std::atomic_flag& taken, const std::function<bool()>& is_helpful)
      : team_(team), taken_(taken), is_helpful_(is_helpful) {}

  int size() const { return team_.size(); }

  /// Team::run() with helpers when they are free and helpful, otherwise the same tasks on this thread alone.
  template <typename Task>
  void run(size_t count, const Task& task) {
    if (count > 1 && is_helpful_() && !taken_.test_and_set(std::memory_order_acquire)) {
      team_.run(count, task);
      taken_.clear(std::memory_order_release);
    } else {
      for (size_t i = 0; i < count; i++) task(i, 0);
    }
  }

 private:
  Team& team_;
  std::atomic_flag& taken_;
  const std::function<bool()>& is_helpful_;
};

}  // namespace enc
