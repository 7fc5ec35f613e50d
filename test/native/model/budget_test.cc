// CPU and memory budgets read from control groups laid out in a folder: versions 1 and 2, nested, unbounded.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "check.h"
#include "support/cpu_budget.h"
#include "support/memory_budget.h"
#include "temporary_path.h"

namespace enc::test {
namespace {

constexpr uint64_t kMiB = uint64_t(1) << 20;

/// A root folder with the files that a test writes into it.
class FakeRoot {
 public:
  ~FakeRoot() { std::filesystem::remove_all(path_); }

  FakeRoot& file(const std::string& name, const std::string& content) {
    const std::filesystem::path whole = path_ + "/" + name;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << content;
    return *this;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = temporary_path("enc-cgroup-");
};

bool near(double a, double b) {
  return a > b - 1e-9 && a < b + 1e-9;
}

}  // namespace

TEST(cpu_quota_of_cgroup_v2_is_the_least_on_the_way_up) {
  FakeRoot root;
  root.file("proc/self/cgroup", "0::/a/b\n")
      .file("sys/fs/cgroup/a/cpu.max", "150000 100000\n")
      .file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(near(cpu_quota(root.path()), 1.5));
  root.file("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  CHECK(near(cpu_quota(root.path()), 0.5));
  // Inside a container the group's own path is not mounted, and its bound stands at the root.
  root.file("proc/self/cgroup", "0::/not/mounted\n").file("sys/fs/cgroup/cpu.max", "400000 100000\n");
  CHECK(near(cpu_quota(root.path()), 4));
}

TEST(cpu_quota_of_cgroup_v1_and_of_nonsense) {
  FakeRoot root;
  root.file("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/1\n0::/\n")
      .file("sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "200000\n")
      .file("sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  CHECK(near(cpu_quota(root.path()), 2));
  root.file("sys/fs/cgroup/cpu/cgroup.procs", "")
      .file("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n")
      .file("sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  CHECK(cpu_quota(root.path()) > 1e6);
  for (const char* odd : {"", "x", "0 0", "-5 100000", "1 ", "100000 0"}) {
    FakeRoot broken;
    broken.file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/cpu.max", odd);
    CHECK(cpu_quota(broken.path()) > 1e6);
  }
  CHECK(cpu_quota("/nonexistent") > 1e6);
}

TEST(threads_are_the_quota_rounded_down) {
  CHECK(threads_for(8, 0.5) == 1 && threads_for(8, 1) == 1 && threads_for(8, 1.9) == 1);
  CHECK(threads_for(8, 2) == 2 && threads_for(2, 4) == 2 && threads_for(3, 3.99) == 3);
  CHECK(threads_for(64, std::numeric_limits<double>::max()) == 8 && threads_for(1, 1e300) == 1);
}

TEST(available_memory_is_the_least_of_machine_and_groups) {
  FakeRoot root;
  root.file("proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n");
  CHECK(available_memory(root.path()) == 4096 * kMiB);
  root.file("proc/self/cgroup", "0::/a/b\n")
      .file("sys/fs/cgroup/a/memory.max", std::to_string(1024 * kMiB))
      .file("sys/fs/cgroup/a/memory.current", std::to_string(600 * kMiB))
      .file("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file " + std::to_string(100 * kMiB) + "\n")
      .file("sys/fs/cgroup/a/b/memory.max", "max\n");
  CHECK(available_memory(root.path()) == 524 * kMiB);
  root.file("sys/fs/cgroup/a/b/memory.max", std::to_string(10 * kMiB))
      .file("sys/fs/cgroup/a/b/memory.current", std::to_string(50 * kMiB));
  CHECK(available_memory(root.path()) == 0);
}

TEST(available_memory_of_cgroup_v1) {
  FakeRoot root;
  root.file("proc/meminfo", "MemAvailable: 4194304 kB\n")
      .file("proc/self/cgroup", "4:memory:/job\n1:cpu:/\n")
      .file("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(512 * kMiB))
      .file("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(112 * kMiB))
      .file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(available_memory(root.path()) == 400 * kMiB);
  CHECK(available_memory() > kMiB);  // this machine
}

TEST(memory_allowance_keeps_a_reserve) {
  CHECK(memory_allowance(1000 * kMiB) == 736 * kMiB);
  CHECK(memory_allowance(10 * kMiB) == 0);
  const uint64_t unknown = std::numeric_limits<uint64_t>::max();
  CHECK(memory_allowance(unknown) == unknown);
}

}  // namespace enc::test
