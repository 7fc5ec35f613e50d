// How many CPUs this process may really use: affinity mask, hyper-threads and the container's quota.
#pragma once

namespace enc {

/// Physical cores that the affinity mask allows, at least 1.
int allowed_physical_cores();

/// CPUs that the cgroup quota grants, as a fraction; a very large number when there is no quota.
double cpu_quota();

}  // namespace enc
