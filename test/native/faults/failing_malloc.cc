#include "failing_malloc.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

// glibc's own allocator under the names that stay reachable when malloc is replaced.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace enc::test {
namespace {

std::atomic<size_t> first_failure = 0, last_failure = 0, count = 0;

bool fails() {
  const size_t index = count.fetch_add(1) + 1;
  const size_t first = first_failure.load();
  if (first == 0 || index < first || index > last_failure.load()) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

void fail_allocation(size_t nth, size_t more) {
  first_failure = 0;
  count = 0;
  last_failure = nth + more;
  first_failure = nth;
}

size_t allocations() {
  return count.load();
}

}  // namespace enc::test

extern "C" {

void* malloc(size_t size) {
  return enc::test::fails() ? nullptr : __libc_malloc(size);
}

void* calloc(size_t n, size_t size) {
  return enc::test::fails() ? nullptr : __libc_calloc(n, size);
}

void* realloc(void* old, size_t size) {
  return enc::test::fails() ? nullptr : __libc_realloc(old, size);
}

void* memalign(size_t alignment, size_t size) {
  return enc::test::fails() ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  void* memory = memalign(alignment, size);
  if (memory == nullptr) return ENOMEM;
  *result = memory;
  return 0;
}

}  // extern "C"
