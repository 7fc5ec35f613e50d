#include "support/memory_budget.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "support/cgroup.h"

#ifdef __linux__
#include <sys/resource.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#elif defined(_WIN32)
#include <windows.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace enc {
namespace {

constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();
/// cgroup v1 writes the largest multiple of a page for "no limit".
constexpr uint64_t kNoLimit = uint64_t(1) << 62;

uint64_t number(const std::string& text) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  return end == text.c_str() ? kUnknown : value;
}

/// The number after `name` in a file of lines "name number"; `fallback` when it is not there.
uint64_t field(const std::string& path, const std::string& name, uint64_t fallback) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, name.size(), name) == 0 && line.size() > name.size()) {
      const uint64_t value = number(line.substr(name.size()));
      return value == kUnknown ? fallback : value;
    }
  }
  return fallback;
}

/// Limit less usage. Cached files are given up before anything is killed, those lately read as well.
uint64_t left_in(const std::string& folder, bool is_v2) {
  const uint64_t limit =
      number(first_line(folder + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes")));  // "max" is no number
  if (limit >= kNoLimit) return kUnknown;
  const uint64_t used = number(first_line(folder + (is_v2 ? "/memory.current" : "/memory.usage_in_bytes")));
  if (used == kUnknown) return kUnknown;
  const std::string prefix = is_v2 ? "" : "total_";
  const uint64_t cached = field(folder + "/memory.stat", prefix + "inactive_file ", 0) +
                          field(folder + "/memory.stat", prefix + "active_file ", 0);
  const uint64_t held = used - std::min(used, cached);
  return limit - std::min(limit, held);
}

/// What the whole machine has left.
uint64_t left_in_machine(const std::string& root) {
  const uint64_t kibibytes = field(root + "/proc/meminfo", "MemAvailable:", kUnknown);
  if (kibibytes != kUnknown) return kibibytes * 1024;
#ifdef __APPLE__
  vm_statistics64_data_t pages{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  vm_size_t page_bytes = 0;
  const mach_port_t host = mach_host_self();
  const bool is_known = host_page_size(host, &page_bytes) == KERN_SUCCESS &&
                        host_statistics64(host, HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages),
                                          &count) == KERN_SUCCESS;
  mach_port_deallocate(mach_task_self(), host);
  // Pages read ahead are among the free ones and again among those of files.
  if (is_known)
    return (uint64_t(pages.free_count) - std::min(pages.free_count, pages.speculative_count) +
            pages.external_page_count + pages.purgeable_count) *
           page_bytes;
#elif defined(_WIN32)
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  // Memory is promised against the page file too, and refused when that is full.
  if (GlobalMemoryStatusEx(&status)) return std::min<uint64_t>(status.ullAvailPhys, status.ullAvailPageFile);
#endif
  return kUnknown;
}

uint64_t left_of_address_space(const std::string& root) {
#ifdef __linux__
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  const uint64_t used = field(root + "/proc/self/status", "VmSize:", 0) * 1024;
  return uint64_t(limit.rlim_cur) - std::min<uint64_t>(limit.rlim_cur, used);
#else
  (void)root;
  return kUnknown;
#endif
}

}  // namespace

uint64_t available_memory(const std::string& root) {
  uint64_t available = left_in_machine(root);
  for_each_cgroup(root, "memory", [&](const std::string& folder, bool is_v2) {
    available = std::min(available, left_in(folder, is_v2));
  });
  return std::min(available, left_of_address_space(root));
}

uint64_t memory_allowance(uint64_t available) {
  constexpr uint64_t kReserve = uint64_t(64) << 20;
  if (available == kUnknown) return kUnknown;
  const uint64_t share = available / 5 * 4;
  return share - std::min(share, kReserve);
}

void return_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace enc
