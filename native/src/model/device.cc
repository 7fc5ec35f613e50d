#include "enc/device.h"

#include "backends/dynamic/gpu_backends.h"
#include "enc/cpu_features.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "support/cpu_budget.h"

namespace enc {

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> devices;
  ggml_backend_dev_t cpu = ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0);
  size_t free_bytes = 0, total_bytes = 0;
  ggml_backend_dev_memory(cpu, &free_bytes, &total_bytes);
  std::vector<std::string> isas;
  for (const std::string_view isa : usable_isas(cpu_features())) isas.emplace_back(isa);
  devices.push_back({"cpu", ggml_backend_dev_description(cpu), true, "", isas, total_bytes});
  for (const GpuBackend& backend : gpu_backends()) {
    if (backend.registry == nullptr) {
      devices.push_back({backend.kind, "", false, backend.reason, {}, 0});
      continue;
    }
    for (size_t i = 0; i < ggml_backend_reg_dev_count(backend.registry); i++) {
      ggml_backend_dev_t gpu = ggml_backend_reg_dev_get(backend.registry, i);
      ggml_backend_dev_memory(gpu, &free_bytes, &total_bytes);
      devices.push_back({gpu_id(gpu), ggml_backend_dev_description(gpu), true, "", {}, total_bytes});
    }
  }
  return devices;
}

int default_threads() {
  return threads_for(allowed_physical_cores(), cpu_quota());
}

}  // namespace enc
