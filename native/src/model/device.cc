#include "enc/device.h"

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
  for (const char* kind : {"cuda", "sycl"}) {
    DeviceInfo info;
    info.id = kind;
    info.reason = std::string("this build has no ") + kind + " backend";
    devices.push_back(info);
  }
  return devices;
}

int default_threads() {
  return threads_for(allowed_physical_cores(), cpu_quota());
}

}  // namespace enc
