// Sleeping until an atomic changes: std::atomic's own where that can be relied on. The one of libstdc++ for
// systems without futexes compares the value before it takes its lock, and so misses wake-ups that come in
// between.
#pragma once

#include <atomic>

namespace enc {

/// Returns once `value` is seen to differ from `old`.
void wait_while_equal(const std::atomic<int>& value, int old);
void wake_one(std::atomic<int>& value);
void wake_all(std::atomic<int>& value);

}  // namespace enc
