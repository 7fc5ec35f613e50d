#include "support/cpu_budget.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace enc {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::max();

#ifdef __linux__
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// cgroup v2: "max 100000" or "150000 100000" (quota and period in microseconds).
double quota_v2(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");
  const size_t space = line.find(' ');
  if (space == std::string::npos || line.compare(0, 3, "max") == 0) return kNoQuota;
  const double period = std::strtod(line.c_str() + space, nullptr);
  return period > 0 ? std::strtod(line.c_str(), nullptr) / period : kNoQuota;
}

double quota_v1(const std::string& folder) {
  const double quota = std::strtod(first_line(folder + "/cpu.cfs_quota_us").c_str(), nullptr);
  const double period = std::strtod(first_line(folder + "/cpu.cfs_period_us").c_str(), nullptr);
  return quota > 0 && period > 0 ? quota / period : kNoQuota;
}
#endif

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
#endif
  return std::max(1, int(std::thread::hardware_concurrency()));
}

double cpu_quota() {
#ifdef __linux__
  double quota = kNoQuota;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t controllers = line.find(':') + 1;
    const size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const bool v2 = line.compare(controllers, 1, ":") == 0;
    if (!v2 && line.substr(controllers, path - controllers).find("cpu") == std::string::npos) continue;
    // Inside a container the path may name a group that is not mounted; the root of the mount then holds the
    // quota.
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string group = line.substr(path);; group.resize(group.rfind('/'))) {
      if (!group.empty() && group.back() == '/') group.pop_back();
      quota = std::min(quota, v2 ? quota_v2(root + group) : quota_v1(root + group));
      if (group.find('/') == std::string::npos) break;
    }
  }
  return quota;
#else
  return kNoQuota;
#endif
}

}  // namespace enc
