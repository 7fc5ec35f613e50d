#include "batch/call.h"

#include <algorithm>

#include "enc/error.h"

namespace enc {

Call::Call(std::vector<Input> inputs, const EncodeOptions& options, size_t num_labels, RunCallback done)
    : inputs_(std::move(inputs)), options_(options), run_done_(std::move(done)), remaining_(inputs_.size()) {
  result_.logits.resize(inputs_.size() * num_labels);
  result_.tokens.resize(inputs_.size());
  result_.truncated.resize(inputs_.size());
}

Call::Call(std::vector<Input> inputs, const EncodeOptions& options, TokenizeCallback done)
    : inputs_(std::move(inputs)),
      options_(options),
      tokenize_done_(std::move(done)),
      remaining_(inputs_.size()) {
  encodings_.encodings.resize(inputs_.size());
}

void Call::fail(std::exception_ptr error) {
  const std::lock_guard lock(error_mutex_);
  if (!error_) error_ = std::move(error);
  failed_.store(true, std::memory_order_relaxed);
}

void Call::set_counts(size_t index, const Encoding& encoding) {
  result_.tokens[index] = int32_t(encoding.ids.size());
  result_.truncated[index] = encoding.truncated ? 1 : 0;
}

void Call::set_logits(size_t index, const float* row, size_t num_labels) {
  std::copy_n(row, num_labels, result_.logits.begin() + ptrdiff_t(index * num_labels));
}

bool Call::finish(size_t count) {
  // Release what this thread wrote; the thread that brings the count to zero acquires what the others wrote.
  if (remaining_.fetch_sub(count, std::memory_order_acq_rel) != count) return false;
  std::exception_ptr error;
  {
    const std::lock_guard lock(error_mutex_);
    error = error_;
  }
  if (!error && cancelled_.load(std::memory_order_relaxed)) {
    error = std::make_exception_ptr(Error(ErrorCode::aborted, "the call was aborted"));
  }
  if (run_done_) {
    run_done_(error, error ? RunResult{} : std::move(result_));
  } else {
    tokenize_done_(error, error ? TokenizeResult{} : std::move(encodings_));
  }
  return true;
}

}  // namespace enc
