// ggml's GPU backends: libraries of their own, beside the addon or in a package, opened when somebody asks
// what there is beyond the CPU. Their absence is no error until a device of theirs is asked for.
#pragma once

#include <string>
#include <vector>

#include "ggml-backend.h"

namespace enc {

struct GpuBackend {
  std::string kind;                       ///< "cuda", "sycl" or "vulkan"
  ggml_backend_reg_t registry = nullptr;  ///< null: it cannot be used
  std::string reason;                     ///< why not, and what would help; empty when it can
};

/// One entry per kind, opened at the first call and never closed: code of a driver runs on threads of its
/// own.
const std::vector<GpuBackend>& gpu_backends();

/// The device that `id` names, "cuda" standing for "cuda:0"; null for "cpu", and for "auto" where there is no
/// GPU. Throws Error(device_unavailable).
ggml_backend_dev_t find_gpu(const std::string& id);

/// "cuda:0" and the like, as find_gpu() takes it.
std::string gpu_id(ggml_backend_dev_t device);

}  // namespace enc
