/* Preloaded into a process: one allocation fails on the threads that are started while that is asked for. The file in
 * FAULT_CONTROL holds four 64-bit words: whether threads started now are meant, the number of the allocation that
 * fails (0: none), how many there were, and how many failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own allocator under the names that stay reachable when malloc is replaced. */
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

struct control {
  _Atomic uint64_t marks, fails, count, failed;
};

static struct control nothing, *control = &nothing;
static _Thread_local int is_meant;

__attribute__((constructor)) static void open_control(void) {
  const char* path = getenv("FAULT_CONTROL");
  const int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) control = memory;
  close(file);
}

static int fails(size_t size) {
  /* A block of the queue that Node keeps of what is posted to it: without it Node ends the process. */
  if (!is_meant || size == 512) return 0;
  const uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
  if (number != atomic_load(&control->fails)) return 0;
  atomic_fetch_add(&control->failed, 1);
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t size) {
  return fails(size) ? NULL : __libc_malloc(size);
}

void* calloc(size_t n, size_t size) {
  return fails(n * size) ? NULL : __libc_calloc(n, size);
}

void* realloc(void* old, size_t size) {
  return fails(size) ? NULL : __libc_realloc(old, size);
}

void* memalign(size_t alignment, size_t size) {
  return fails(size) ? NULL : __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  void* memory = memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *result = memory;
  return 0;
}

struct start {
  void* (*body)(void*);
  void* argument;
};

static void* begin(void* data) {
  const struct start start = *(struct start*)data;
  free(data);
  is_meant = 1;
  return start.body(start.argument);
}

typedef int Create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) {
  Create* create = (Create*)dlsym(RTLD_NEXT, "pthread_create");
  if (atomic_load(&control->marks) == 0) return create(thread, attributes, body, argument);
  struct start* start = __libc_malloc(sizeof *start);
  if (start == NULL) return EAGAIN;
  *start = (struct start){body, argument};
  const int status = create(thread, attributes, begin, start);
  if (status != 0) free(start);
  return status;
}
