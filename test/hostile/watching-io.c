// Preloaded into a process: every file it opens, program it starts and socket it connects is written, a line each, to
// the file that WATCH_LOG names. Opened files stand there under their real path, so that a link hides nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int log_file = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
  const char* path = getenv("WATCH_LOG");
  if (path != NULL) log_file = REAL(open)(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static void note(const char* what, const char* name) {
  if (log_file < 0) return;
  char line[4200];
  const int length = snprintf(line, sizeof line, "%s %.4096s\n", what, name);
  if (write(log_file, line, (size_t)length) != length) abort();
}

/// `file` < 0: nothing was opened, the path as it was asked for is what there is to say.
static void note_open(const char* path, int file) {
  char link[64], real[4096];
  ssize_t length = -1;
  if (file >= 0) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, real, sizeof real - 1);
  }
  if (length > 0) real[length] = 0;
  note("open", length > 0 ? real : path);
}

#define OPEN_LIKE(name)                                     \
  int name(const char* path, int flags, ...) {              \
    va_list rest;                                           \
    va_start(rest, flags);                                  \
    const mode_t mode = va_arg(rest, mode_t);               \
    va_end(rest);                                           \
    const int file = REAL(name)(path, flags, mode);         \
    note_open(path, file);                                  \
    return file;                                            \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

#define OPENAT_LIKE(name)                                          \
  int name(int folder, const char* path, int flags, ...) {         \
    va_list rest;                                                  \
    va_start(rest, flags);                                         \
    const mode_t mode = va_arg(rest, mode_t);                      \
    va_end(rest);                                                  \
    const int file = REAL(name)(folder, path, flags, mode);        \
    note_open(path, file);                                         \
    return file;                                                   \
  }
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)

#define FOPEN_LIKE(name)                                     \
  FILE* name(const char* path, const char* mode) {           \
    FILE* file = REAL(name)(path, mode);                     \
    note_open(path, file == NULL ? -1 : fileno(file));       \
    return file;                                             \
  }
FOPEN_LIKE(fopen)
FOPEN_LIKE(fopen64)

int execve(const char* path, char* const arguments[], char* const environment[]) {
  note("start", path);
  return REAL(execve)(path, arguments, environment);
}
int execvp(const char* path, char* const arguments[]) {
  note("start", path);
  return REAL(execvp)(path, arguments);
}
int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  note("start", path);
  return REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment);
}
int posix_spawnp(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  note("start", path);
  return REAL(posix_spawnp)(pid, path, actions, attributes, arguments, environment);
}
int system(const char* command) {
  note("start", command);
  return REAL(system)(command);
}
int connect(int socket, const struct sockaddr* address, socklen_t length) {
  note("connect", "a socket");
  return REAL(connect)(socket, address, length);
}
