// The devices a model can run on, and why the others cannot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace enc {

struct DeviceInfo {
  std::string id;           ///< "cpu", "cuda:0", ... as LoadOptions::device takes it
  std::string description;  ///< marketing name
  bool available = false;
  std::string reason;            ///< why not, and what would help; empty when available
  std::vector<std::string> isa;  ///< instruction sets of the CPU kernels, best last
  uint64_t memory_bytes = 0;
};

std::vector<DeviceInfo> list_devices();

/// Folders in which the libraries of GPU backends are searched, in this order. Counts until devices are first
/// listed or a model is loaded.
void set_backend_folders(std::vector<std::string> folders);

/// Threads a model gets when the caller does not say: physical cores of the affinity mask, cut by the
/// container's CPU quota rounded down, at most 8, at least 1.
int default_threads();

}  // namespace enc
