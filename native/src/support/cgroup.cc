#include "support/cgroup.h"

#include <fstream>
#include <sstream>

namespace enc {
namespace {

/// "cpu,cpuacct" names "cpu".
bool names(const std::string& controllers, const std::string& wanted) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

bool exists(const std::string& path) {
  return std::ifstream(path).good();
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void for_each_cgroup(const std::string& root, const std::string& controller,
                     const std::function<void(const std::string&, bool)>& visit) {
  // A line is hierarchy:controllers:path; version 2 has no controllers in it.
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t controllers = line.find(':') + 1;
    const size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const std::string named = line.substr(controllers, path - 1 - controllers);
    const bool is_v2 = named.empty();
    if (!is_v2 && !names(named, controller)) continue;
    std::string mount = root + "/sys/fs/cgroup";
    // Version 1 mounts a folder for each controller, or for the list that it shares with others.
    if (!is_v2) mount += exists(mount + "/" + controller + "/cgroup.procs") ? "/" + controller : "/" + named;
    // Inside a container the path may name a group that is not mounted; the root of the mount then has the
    // bound.
    for (std::string group = line.substr(path);; group.resize(group.rfind('/'))) {
      if (!group.empty() && group.back() == '/') group.pop_back();
      visit(mount + group, is_v2);
      if (group.find('/') == std::string::npos) break;
    }
  }
}

}  // namespace enc
