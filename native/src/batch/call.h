// One queued call: its inputs, its options, and its results as they come in from several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "enc/model.h"

namespace enc {

class Call final : public Job {
 public:
  /// `row_size`: logits of an input, or of one of its windows.
  Call(std::vector<Input> inputs, const EncodeOptions& options, size_t row_size, RunCallback done);
  Call(std::vector<Input> inputs, const EncodeOptions& options, TokenizeCallback done);

  void cancel() noexcept override {
    cancelled_.store(true, std::memory_order_relaxed);
    deaths_.fetch_add(1, std::memory_order_release);
  }

  const std::vector<Input>& inputs() const { return inputs_; }
  const EncodeOptions& options() const { return options_; }
  bool wants_logits() const { return bool(run_done_); }
  size_t row_size() const { return row_size_; }
  /// Bytes of the labels that every input is read with.
  size_t label_bytes() const { return label_bytes_; }
  /// True when no more work should go into this call: it was cancelled or has failed.
  bool is_dead() const noexcept {
    return cancelled_.load(std::memory_order_relaxed) || failed_.load(std::memory_order_relaxed);
  }

  /// Changes whenever some call has died.
  static uint64_t deaths() noexcept { return deaths_.load(std::memory_order_acquire); }

  /// The first failure wins; the callback reports it once every input is accounted for.
  void fail(std::exception_ptr error);
  void set_encoding(size_t index, Encoding&& encoding) { encodings_.encodings[index] = std::move(encoding); }
  void set_counts(size_t index, const Encoding& encoding);
  /// True when too long texts are read in windows: then set_windows() stands for set_counts().
  bool has_windows() const { return options_.windows != WindowedText::kNone; }
  void set_windows(size_t index, const std::vector<Window>& windows);
  /// `window` is 0 for a call without windows.
  void set_logits(size_t index, size_t window, const float* row);

  /// Accounts for `count` inputs, done or skipped. The last one runs the callback on this thread and returns
  /// true.
  bool finish(size_t count);

 private:
  /// What an input's windows have so far; each input is one thread's until finish().
  struct WindowRows {
    std::vector<int32_t> begins;
    std::vector<int32_t> ends;
    std::vector<float> logits;
  };

  void join_windows();
  /// The error to report, null when there is none; brings the results into their final form.
  std::exception_ptr conclude() noexcept;

  static inline std::atomic<uint64_t> deaths_ = 0;

  const std::vector<Input> inputs_;
  const EncodeOptions options_;
  const size_t row_size_;
  const size_t label_bytes_;
  RunCallback run_done_;
  TokenizeCallback tokenize_done_;
  RunResult result_;
  std::vector<WindowRows> windows_;
  TokenizeResult encodings_;
  std::atomic<size_t> remaining_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> failed_ = false;
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

/// Inputs [begin, end) of a call, as one thread takes them from the queue.
struct Slice {
  std::shared_ptr<Call> call;
  size_t begin;
  size_t end;
};

}  // namespace enc
