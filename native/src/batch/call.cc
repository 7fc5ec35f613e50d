#include "batch/call.h"

#include <algorithm>

#include "enc/error.h"

namespace enc {
namespace {

size_t count_bytes(const std::vector<std::string>& labels) {
  size_t bytes = 0;
  for (const std::string& label : labels) bytes += label.size();
  return bytes;
}

}  // namespace

Call::Call(std::vector<Input> inputs, const EncodeOptions& options, size_t row_size, RunCallback done)
    : inputs_(std::move(inputs)),
      options_(options),
      row_size_(row_size),
      label_bytes_(count_bytes(options_.labels)),
      run_done_(std::move(done)),
      remaining_(inputs_.size()) {
  if (has_windows()) {
    windows_.resize(inputs_.size());
  } else {
    result_.logits.resize(inputs_.size() * row_size);
  }
  result_.tokens.resize(inputs_.size());
  result_.truncated.resize(inputs_.size());
}

Call::Call(std::vector<Input> inputs, const EncodeOptions& options, TokenizeCallback done)
    : inputs_(std::move(inputs)),
      options_(options),
      row_size_(0),
      label_bytes_(count_bytes(options_.labels)),
      tokenize_done_(std::move(done)),
      remaining_(inputs_.size()) {
  encodings_.encodings.resize(inputs_.size());
}

void Call::fail(std::exception_ptr error) {
  const std::lock_guard lock(error_mutex_);
  if (!error_) error_ = std::move(error);
  failed_.store(true, std::memory_order_relaxed);
  deaths_.fetch_add(1, std::memory_order_release);
}

void Call::set_counts(size_t index, const Encoding& encoding) {
  result_.tokens[index] = int32_t(encoding.ids.size());
  result_.truncated[index] = encoding.truncated ? 1 : 0;
}

void Call::set_windows(size_t index, const std::vector<Window>& windows) {
  WindowRows& rows = windows_[index];
  size_t tokens = 0;
  for (const Window& window : windows) {
    rows.begins.push_back(int32_t(window.begin));
    rows.ends.push_back(int32_t(window.end));
    tokens += window.encoding.ids.size();
  }
  rows.logits.resize(windows.size() * row_size_);
  result_.tokens[index] = int32_t(tokens);
  result_.truncated[index] = windows.front().encoding.truncated ? 1 : 0;
}

void Call::set_logits(size_t index, size_t window, const float* row) {
  std::vector<float>& logits = has_windows() ? windows_[index].logits : result_.logits;
  const size_t place = has_windows() ? window : index;
  std::copy_n(row, row_size_, logits.begin() + ptrdiff_t(place * row_size_));
}

void Call::join_windows() {
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  result_.window_offsets.push_back(0);
  for (const WindowRows& rows : windows_) {
    append(result_.logits, rows.logits);
    append(result_.window_begins, rows.begins);
    append(result_.window_ends, rows.ends);
    result_.window_offsets.push_back(int32_t(result_.window_begins.size()));
  }
}

std::exception_ptr Call::conclude() noexcept {
  try {
    const std::lock_guard lock(error_mutex_);
    if (error_) return error_;
    if (cancelled_.load(std::memory_order_relaxed)) throw Error(ErrorCode::aborted, "the call was aborted");
    if (run_done_ && has_windows()) join_windows();
    return nullptr;
  } catch (...) {
    // Memory ran out: nobody above an inference thread would catch it.
    return std::current_exception();
  }
}

bool Call::finish(size_t count) {
  // Release what this thread wrote; the thread that brings the count to zero acquires what the others wrote.
  if (remaining_.fetch_sub(count, std::memory_order_acq_rel) != count) return false;
  const std::exception_ptr error = conclude();
  if (run_done_) {
    run_done_(error, error ? RunResult{} : std::move(result_));
  } else {
    tokenize_done_(error, error ? TokenizeResult{} : std::move(encodings_));
  }
  return true;
}

}  // namespace enc
