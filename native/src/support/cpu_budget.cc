#include "support/cpu_budget.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "support/cgroup.h"

#ifdef __linux__
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#include <windows.h>

#include <vector>
#endif

namespace enc {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::max();
constexpr int kMaxDefaultThreads = 8;

/// cgroup v2: "max 100000" or "150000 100000" (quota and period in microseconds).
double quota_v2(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");
  const size_t space = line.find(' ');
  if (space == std::string::npos || line.compare(0, 3, "max") == 0) return kNoQuota;
  const double quota = std::strtod(line.c_str(), nullptr);
  const double period = std::strtod(line.c_str() + space, nullptr);
  return quota > 0 && period > 0 ? quota / period : kNoQuota;
}

double quota_v1(const std::string& folder) {
  const double quota = std::strtod(first_line(folder + "/cpu.cfs_quota_us").c_str(), nullptr);
  const double period = std::strtod(first_line(folder + "/cpu.cfs_period_us").c_str(), nullptr);
  return quota > 0 && period > 0 ? quota / period : kNoQuota;
}

}  // namespace

int allowed_physical_cores() {
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    std::set<std::string> cores;  // hyper-threads of one core share their list of siblings
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (!CPU_ISSET(cpu, &mask)) continue;
      const std::string siblings =
          first_line("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
      cores.insert(siblings.empty() ? "cpu" + std::to_string(cpu) : siblings);
    }
    if (!cores.empty()) return int(cores.size());
  }
#elif defined(__APPLE__)
  int cores = 0;
  size_t bytes = sizeof cores;
  if (sysctlbyname("hw.physicalcpu", &cores, &bytes, nullptr, 0) == 0 && cores > 0) return cores;
#elif defined(_WIN32)
  DWORD_PTR allowed = 0, all = 0;
  DWORD bytes = 0;
  GetLogicalProcessorInformation(nullptr, &bytes);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> facts(bytes /
                                                          sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
  if (GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all) &&
      GetLogicalProcessorInformation(facts.data(), &bytes)) {
    const auto is_ours = [&](const SYSTEM_LOGICAL_PROCESSOR_INFORMATION& fact) {
      return fact.Relationship == RelationProcessorCore && (fact.ProcessorMask & allowed) != 0;
    };
    if (const auto cores = std::count_if(facts.begin(), facts.end(), is_ours); cores > 0) return int(cores);
  }
#endif
  return std::max(1, int(std::thread::hardware_concurrency()));
}

double cpu_quota(const std::string& root) {
  double quota = kNoQuota;
  for_each_cgroup(root, "cpu", [&](const std::string& folder, bool is_v2) {
    quota = std::min(quota, is_v2 ? quota_v2(folder) : quota_v1(folder));
  });
  return quota;
}

int threads_for(int cores, double quota) {
  const int whole = quota >= kMaxDefaultThreads ? kMaxDefaultThreads : int(quota);
  return std::clamp(std::min(cores, whole), 1, kMaxDefaultThreads);
}

}  // namespace enc
