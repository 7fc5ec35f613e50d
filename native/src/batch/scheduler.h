// The inference threads and their queue. Threads split the work by whole inputs: each takes a slice of what
// waits, tokenizes it, packs it and runs it alone, so that no two threads ever wait for each other inside a
// batch.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "batch/batch_plan.h"
#include "batch/call.h"
#include "batch/late_interaction.h"
#include "enc/batch.h"
#include "enc/thread.h"

namespace enc {

/// Computes packed batches on one thread.
class BatchRunner {
 public:
  virtual ~BatchRunner() = default;
  /// Appends f32 [B, num_labels] to `logits`, or where the batch has marks a logit or a vector for each.
  /// `should_stop` may be polled between operations; when it says true the run may end early with
  /// Error(aborted).
  virtual void run(const PackedBatch& batch, const std::function<bool()>& should_stop,
                   std::vector<float>& logits) = 0;
};

class Scheduler {
 public:
  struct Options {
    int threads;
    BatchLimits batch;
    size_t max_length;  ///< tokens per input
    size_t num_labels;
    bool single_segment;             ///< the model knows one segment: pairs get type id 0 throughout
    size_t short_length = SIZE_MAX;  ///< an input of more tokens shares no batch with one of fewer
    std::optional<MarkRule> marks = {};
    std::optional<InteractionRule> interaction = {};  ///< inputs are pairs whose tokens score each other
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
  struct Item;
  struct QueryVectors;

  void work();
  std::vector<Slice> take();
  size_t share_tokens() const;
  size_t estimate_tokens(const Call& call, size_t index) const;
  void process(const std::vector<Slice>& slices, BatchRunner& runner);
  void tokenize(const Slice& slice, std::vector<Item>& items);
  void compute(std::span<Item> items, BatchRunner& runner);
  void run_batch(std::span<const Item> items, const BatchPlan& plan, BatchRunner& runner);
  void compare(std::span<Item> items, BatchRunner& runner);
  void compare_batch(std::span<const Item> items, QueryVectors& query, BatchRunner& runner);

  const Options options_;
  const Tokenizer& tokenizer_;
  const RunnerFactory make_runner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  size_t waiting_tokens_ = 0;  ///< estimate over all of waiting_
  std::unordered_set<std::shared_ptr<Call>> active_;
  bool closing_ = false;
  std::atomic<int> idle_threads_ = 0;
  std::mutex join_mutex_;
  std::vector<Thread> threads_;
};

}  // namespace enc
