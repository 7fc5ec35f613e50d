// Where the control groups of this process are mounted. Linux containers bound CPU and memory there;
// elsewhere there are none.
#pragma once

#include <functional>
#include <string>

namespace enc {

/// First line of a file, empty when it cannot be read.
std::string first_line(const std::string& path);

/// Calls `visit(folder, is_v2)` for each group of `controller` ("cpu" or "memory") that this process is in,
/// from its own up to the root of the mount: a bound may be set on any of them. `root` stands before every
/// path that is read (/proc/self/cgroup, /sys/fs/cgroup), so that tests can lay out a tree of their own.
void for_each_cgroup(const std::string& root, const std::string& controller,
                     const std::function<void(const std::string& folder, bool is_v2)>& visit);

}  // namespace enc
