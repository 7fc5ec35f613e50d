// Preloaded into a process: the k-th call of one kind on files whose path holds a mark fails with an errno of choice.
// Which, is written into a shared file by the program under test itself: struct control.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN = 1, READ, WRITE, SYNC, RENAME, LINK, CLOSE, UNLINK };

struct control {
  int32_t kind;            // 0: nothing fails
  int32_t nth;             // 1: the next call of that kind
  int32_t error;           // errno; 0: a read or write does half of what it was asked
  atomic_int calls;        // of that kind since the program set it to 0
};

static struct control* control;
static const char* mark;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
  mark = getenv("FAULT_MARK");
  const char* path = getenv("FAULT_CONTROL");
  if (path == NULL || mark == NULL) return;
  const int file = REAL(open)(path, O_RDWR);
  if (file < 0) return;
  void* memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) control = memory;
}

static int is_marked_path(const char* path) {
  return control != NULL && control->kind != 0 && path != NULL && strstr(path, mark) != NULL;
}

static int is_marked(int file) {
  if (control == NULL || control->kind == 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_marked_path(path);
}

/// 1 when this call is the one.
static int is_hit(int kind) {
  if (control->kind != kind) return 0;
  return atomic_fetch_add(&control->calls, 1) + 1 == control->nth;
}

#define FAIL_IF(marked, kind)           \
  if ((marked) && is_hit(kind)) {       \
    errno = control->error;             \
    return -1;                          \
  }

#define OPEN_LIKE(name)                                       \
  int name(const char* path, int flags, ...) {                \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    const mode_t mode = va_arg(rest, mode_t);                 \
    va_end(rest);                                             \
    FAIL_IF(is_marked_path(path), OPEN)                       \
    return REAL(name)(path, flags, mode);                     \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

/// Fails, or returns how many bytes to go for.
static ssize_t allowed(int file, int kind, size_t count) {
  if (!is_marked(file) || !is_hit(kind)) return (ssize_t)count;
  if (control->error == 0) return (ssize_t)(count > 1 ? count / 2 : count);
  errno = control->error;
  return -1;
}

ssize_t read(int file, void* to, size_t count) {
  const ssize_t wanted = allowed(file, READ, count);
  return wanted < 0 ? -1 : REAL(read)(file, to, (size_t)wanted);
}
ssize_t pread(int file, void* to, size_t count, off_t offset) {
  const ssize_t wanted = allowed(file, READ, count);
  return wanted < 0 ? -1 : REAL(pread)(file, to, (size_t)wanted, offset);
}
ssize_t pread64(int file, void* to, size_t count, off64_t offset) {
  const ssize_t wanted = allowed(file, READ, count);
  return wanted < 0 ? -1 : REAL(pread64)(file, to, (size_t)wanted, offset);
}
ssize_t write(int file, const void* from, size_t count) {
  const ssize_t wanted = allowed(file, WRITE, count);
  return wanted < 0 ? -1 : REAL(write)(file, from, (size_t)wanted);
}
ssize_t pwrite(int file, const void* from, size_t count, off_t offset) {
  const ssize_t wanted = allowed(file, WRITE, count);
  return wanted < 0 ? -1 : REAL(pwrite)(file, from, (size_t)wanted, offset);
}
ssize_t pwrite64(int file, const void* from, size_t count, off64_t offset) {
  const ssize_t wanted = allowed(file, WRITE, count);
  return wanted < 0 ? -1 : REAL(pwrite64)(file, from, (size_t)wanted, offset);
}
int fsync(int file) {
  FAIL_IF(is_marked(file), SYNC)
  return REAL(fsync)(file);
}
int fdatasync(int file) {
  FAIL_IF(is_marked(file), SYNC)
  return REAL(fdatasync)(file);
}
int rename(const char* from, const char* to) {
  FAIL_IF(is_marked_path(to), RENAME)
  return REAL(rename)(from, to);
}
int link(const char* from, const char* to) {
  FAIL_IF(is_marked_path(to), LINK)
  return REAL(link)(from, to);
}
int unlink(const char* path) {
  FAIL_IF(is_marked_path(path), UNLINK)
  return REAL(unlink)(path);
}
/// libuv closes files in this way. The descriptor is closed all the same, as Linux does it.
long syscall(long number, ...) {
  long a[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  const int fails = number == SYS_close && is_marked((int)a[0]) && is_hit(CLOSE);
  const long status = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (!fails) return status;
  errno = control->error;
  return -1;
}
