// Linked into every binary that old_glibc.cmake makes, so that they load on glibc 2.28, the oldest that Node's own
// builds run on.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#endif

// libstdc++.a reads this variable of glibc 2.32. It says that the process has one thread; zero is always right.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;

// exp and log2 of glibc 2.29 differ from the older versions only in how they set errno. The linker's --wrap leads here.
double enc_exp(double x);
double enc_log2(double x);
__asm__(".symver enc_exp, exp@" OLDEST);
__asm__(".symver enc_log2, log2@" OLDEST);

__attribute__((visibility("hidden"))) double __wrap_exp(double x) {
  return enc_exp(x);
}

__attribute__((visibility("hidden"))) double __wrap_log2(double x) {
  return enc_log2(x);
}

__attribute__((visibility("hidden"))) int __wrap_getcpu(unsigned* cpu, unsigned* node) {
  return (int)syscall(SYS_getcpu, cpu, node, NULL);
}
