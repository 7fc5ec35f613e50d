// How many CPUs this process may really use: affinity mask, hyper-threads and the container's quota.
#pragma once

#include <string>

namespace enc {

/// Physical cores that the affinity mask allows, at least 1.
int allowed_physical_cores();

/// CPUs that the cgroup quota grants, as a fraction; a very large number when there is no quota. `root` is
/// for tests: see for_each_cgroup().
double cpu_quota(const std::string& root = "");

/// Threads worth starting on so many cores under such a quota: the quota rounded down, since one thread more
/// than it grants is stopped in the middle of the work of all; at most 8, at least 1.
int threads_for(int cores, double quota);

}  // namespace enc
