// The program's allocator with one failure planted: operator new, ggml and libstdc++ all end up in it.
#pragma once

#include <cstddef>

namespace enc::test {

/// The `nth` allocation from now on (1: the next), on any thread, fails, and the `more` after it; 0 plants
/// none.
void fail_allocation(size_t nth, size_t more = 0);

/// Allocations since the last call of fail_allocation().
size_t allocations();

}  // namespace enc::test
