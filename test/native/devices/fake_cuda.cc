// A backend library as gpu_backends opens them, for machines without a GPU: ggml's CPU backend under the name
// of another. FAKE_CUDA_LACKS names an operation (as ggml_op_name has it) that it then does not support,
// FAKE_CUDA_FAULT makes it fail as CUDA does, with those words, FAKE_CUDA_THROWS as Vulkan does.
#include <stdexcept>

#include "ggml-backend-impl.h"
#include "ggml-cpu.h"
#include "support/environment.h"

using enc::environment_variable;

namespace {

ggml_backend_reg registry;
ggml_backend_device device;
ggml_backend_i backend_interface;

ggml_backend_dev_t cpu_device() {
  return ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0);
}

ggml_status compute(ggml_backend_t backend, ggml_cgraph* graph) {
  if (const auto fault = environment_variable("FAKE_CUDA_FAULT")) {
    ggml_log_callback log = nullptr;
    void* user_data = nullptr;
    ggml_log_get(&log, &user_data);
    log(GGML_LOG_LEVEL_ERROR, fault->c_str(), user_data);
    ggml_abort(__FILE__, __LINE__, "CUDA error");
  }
  if (const auto fault = environment_variable("FAKE_CUDA_THROWS")) throw std::runtime_error(*fault);
  return backend_interface.graph_compute(backend, graph);
}

ggml_backend_t start(ggml_backend_dev_t self, const char*) {
  ggml_backend_t backend = ggml_backend_cpu_init();
  ggml_backend_cpu_set_n_threads(backend, 1);
  backend_interface = backend->iface;
  backend->iface.graph_compute = compute;
  backend->device = self;
  return backend;
}

bool supports(ggml_backend_dev_t, const ggml_tensor* op) {
  if (environment_variable("FAKE_CUDA_LACKS") == ggml_op_name(op->op)) return false;
  return ggml_backend_dev_supports_op(cpu_device(), op);
}

const char* describe(ggml_backend_dev_t) {
  return "Fake card";
}

size_t count_devices(ggml_backend_reg_t) {
  return 1;
}

ggml_backend_dev_t get_device(ggml_backend_reg_t, size_t) {
  return &device;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ggml_backend_reg_t ggml_backend_init() {
  registry = *ggml_backend_cpu_reg();
  device = *cpu_device();
  device.reg = &registry;
  device.iface.init_backend = start;
  device.iface.supports_op = supports;
  device.iface.get_description = describe;
  registry.iface.get_device_count = count_devices;
  registry.iface.get_device = get_device;
  return &registry;
}
