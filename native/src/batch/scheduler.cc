#include "batch/scheduler.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "enc/error.h"

namespace enc {

namespace {

/// Calls that one thread takes a share of at a time.
constexpr size_t kMaxSlices = 256;
/// Batches that a thread takes texts for at a time: enough to pack well, few enough that all threads end
/// together. Texts that share a beginning should meet.
constexpr size_t kBatchesPerShare = 2, kBatchesPerPrefixShare = 4;

}  // namespace

Scheduler::Scheduler(const Options& options, const Tokenizer& tokenizer, RunnerFactory make_runner)
    : options_(options), tokenizer_(tokenizer), make_runner_(std::move(make_runner)) {
  threads_.reserve(size_t(options_.threads));
  try {
    for (int i = 0; i < options_.threads; i++) threads_.emplace_back([this] { work(); });
  } catch (const std::exception& error) {
    // A container's limit on processes, or no memory for one more: go on with the threads that could be made.
    if (threads_.empty()) {
      throw Error(ErrorCode::out_of_memory,
                  std::string("no inference thread could be started: ") + error.what());
    }
  }
}

Scheduler::~Scheduler() {
  close(true);
}

/// About one token for four bytes of text, at most what the model takes at once; only balances the threads.
size_t Scheduler::estimate_tokens(const Call& call, size_t index) const {
  const Input& input = call.inputs()[index];
  const size_t bytes = input.text.size() + (input.pair ? input.pair->size() : 0) + call.label_bytes();
  const size_t most = call.has_windows() ? SIZE_MAX : options_.max_length;
  return std::min(most, bytes / 4 + 3);
}

void Scheduler::submit(std::shared_ptr<Call> call) {
  const size_t count = call->inputs().size();
  if (count == 0) {
    call->finish(0);
    return;
  }
  size_t tokens = 0;
  for (size_t i = 0; i < count; i++) tokens += estimate_tokens(*call, i);
  // Parts of a list have the places that it would have itself, as if all were like this one: else those who
  // come after the first part would wait for all others.
  const uint64_t brings = tokens + tokens / count * call->options().inputs_before;
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      const auto place = waiting_.emplace(taken_tokens_ + brings, Waiting{call, tokens});
      try {
        active_.insert(std::move(call));
      } catch (...) {
        waiting_.erase(place);
        throw;
      }
      waiting_tokens_ += tokens;
    }
  }
  if (call) {
    call->fail(std::make_exception_ptr(Error(ErrorCode::model_disposed, "the model has been disposed")));
    call->finish(count);
    return;
  }
  if (count == 1) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
}

/// Tokens to take next: what is left divided by the threads, at most what fills a few batches. Shares get
/// smaller towards the end, so that all threads end together; where each pays for the texts' common
/// beginning, they do not get smaller than half of a thread's part of the call.
size_t Scheduler::share_tokens() const {
  const auto threads = size_t(options_.threads);
  const size_t fair = (waiting_tokens_ + threads - 1) / threads;
  if (!options_.shares.batch.shares_prefixes)
    return std::min(fair, kBatchesPerShare * options_.shares.batch.max_tokens);
  const size_t least =
      std::min(waiting_.begin()->second.tokens / threads / 2, options_.shares.batch.max_tokens);
  return std::min(std::max(fair, least), kBatchesPerPrefixShare * options_.shares.batch.max_tokens);
}

void Scheduler::advance_dead() {
  const uint64_t deaths = Call::deaths();
  if (deaths == seen_deaths_) return;
  seen_deaths_ = deaths;
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    const auto next = std::next(place);
    if (place->first > 0 && place->second.call->is_dead()) {
      auto dead = waiting_.extract(place);
      dead.key() = 0;
      waiting_.insert(std::move(dead));
    }
    place = next;
  }
}

/// The next share of the queue, empty when the scheduler has closed.
std::vector<Slice> Scheduler::take() {
  // All that is allocated here, so that a failure leaves the queue as it was.
  std::vector<Slice> slices;
  slices.reserve(kMaxSlices);
  std::unique_lock lock(mutex_);
  idle_threads_++;
  wake_.wait(lock, [this] { return !waiting_.empty() || closing_; });
  idle_threads_--;
  advance_dead();
  const size_t target = waiting_.empty() ? 0 : share_tokens();
  size_t taken = 0, dropped = 0;
  while (!waiting_.empty() && slices.size() < kMaxSlices && (taken == 0 || taken < target)) {
    Waiting& front = waiting_.begin()->second;
    const size_t count = front.call->inputs().size();
    Slice slice{front.call, front.next, front.next};
    const bool is_dead = slice.call->is_dead();
    while (slice.end < count && (is_dead || taken == 0 || taken < target))
      (is_dead ? dropped : taken) += estimate_tokens(*slice.call, slice.end++);
    front.next = slice.end;
    if (front.next == count) waiting_.erase(waiting_.begin());
    slices.push_back(std::move(slice));
  }
  waiting_tokens_ -= taken + dropped;
  taken_tokens_ += taken;
  return slices;
}

/// Once for each slice: it lets go of its call.
void Scheduler::finish(Slice& slice) {
  const std::shared_ptr<Call> call = std::exchange(slice.call, nullptr);
  if (!call->finish(slice.end - slice.begin)) return;
  const std::lock_guard lock(mutex_);
  active_.erase(call);
}

void Scheduler::work() {
  std::optional<ShareProcessor> processor;
  for (;;) {
    std::vector<Slice> slices;
    try {
      slices = take();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (slices.empty()) return;
    try {
      if (!processor) {
        processor.emplace(options_.shares, tokenizer_, make_runner_(), [this](Slice& done) { finish(done); });
      }
      processor->process(slices);
    } catch (...) {
      for (Slice& slice : slices) {
        if (!slice.call) continue;
        slice.call->fail(std::current_exception());
        finish(slice);
      }
    }
  }
}

void Scheduler::close(bool cancel_running) {
  std::vector<Waiting> refused;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    if (cancel_running) {
      for (const auto& call : active_) call->cancel();
    }
    for (auto place = waiting_.begin(); place != waiting_.end();) {
      if (place->second.next > 0) {
        ++place;
        continue;
      }
      active_.erase(place->second.call);
      refused.push_back(std::move(place->second));
      place = waiting_.erase(place);
    }
  }
  wake_.notify_all();
  for (const Waiting& waiting : refused) {
    waiting.call->fail(std::make_exception_ptr(
        Error(ErrorCode::model_disposed, "the model was disposed before this call began")));
    waiting.call->finish(waiting.call->inputs().size());
  }
  const std::lock_guard lock(join_mutex_);
  for (Thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace enc
