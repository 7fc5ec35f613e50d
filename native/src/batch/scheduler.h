// The inference threads and their queue. Threads split the work by whole inputs: each takes a share of what
// waits and processes it alone (share.h), so that no two threads ever wait for each other inside a batch.
//
// Calls come in the order of what had been taken from the queue when they arrived plus what they bring, both
// in tokens: a text does not wait for the thousands of an earlier call, nobody passes a call any more that
// comes when as much has been taken since as it brings, and calls of one size keep their order. Those that
// were cancelled or have failed come first, since their end is waited for and takes no work.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "batch/call.h"
#include "batch/share.h"
#include "enc/thread.h"

namespace enc {

class Scheduler {
 public:
  struct Options {
    int threads;
    size_t max_length;  ///< tokens per input
    ShareOptions shares;
  };
  using RunnerFactory = std::function<std::unique_ptr<BatchRunner>()>;

  /// `tokenizer` must outlive the scheduler. The factory is called once per thread, on that thread.
  Scheduler(const Options& options, const Tokenizer& tokenizer, RunnerFactory make_runner);
  ~Scheduler();

  /// The call's callback runs with Error(model_disposed) when the scheduler has been closed.
  void submit(std::shared_ptr<Call> call);
  /// See Model::close().
  void close(bool cancel_running);

  /// True while some thread has nothing to do: there are fewer inputs in flight than threads.
  bool has_idle_thread() const noexcept { return idle_threads_.load(std::memory_order_relaxed) > 0; }

 private:
  struct Waiting {
    std::shared_ptr<Call> call;
    size_t tokens;  ///< estimate over the whole call
    size_t next = 0;
  };

  void work();
  std::vector<Slice> take();
  void advance_dead();
  void finish(Slice& slice);
  size_t share_tokens() const;
  size_t estimate_tokens(const Call& call, size_t index) const;

  const Options options_;
  const Tokenizer& tokenizer_;
  const RunnerFactory make_runner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<uint64_t, Waiting> waiting_;  ///< by the place in the order
  uint64_t taken_tokens_ = 0;                 ///< estimate over all that was ever taken
  size_t waiting_tokens_ = 0;                 ///< estimate over all of waiting_
  uint64_t seen_deaths_ = 0;                  ///< Call::deaths() when waiting_ was looked through for them
  std::unordered_set<std::shared_ptr<Call>> active_;
  bool closing_ = false;
  std::atomic<int> idle_threads_ = 0;
  std::mutex join_mutex_;
  std::vector<Thread> threads_;
};

}  // namespace enc
