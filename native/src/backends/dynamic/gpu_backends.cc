#include "backends/dynamic/gpu_backends.h"

#include <exception>
#include <mutex>

#include "enc/device.h"
#include "enc/error.h"
#include "support/ggml_guard.h"
#include "support/shared_library.h"

namespace enc {
namespace {

std::mutex folders_mutex;
std::vector<std::string> backend_folders;

/// What provides a library that a backend's file needs, by a part of its name.
struct Requirement {
  const char* library;
  const char* advice;
};
constexpr Requirement kRequirements[] = {
    {"libcuda.so", "install NVIDIA's driver"},
    {"libcudart", "install the CUDA runtime (cudart and cuBLAS) of the version that the name shows"},
    {"libcublas", "install cuBLAS of the version that the name shows"},
    {"libsycl", "install Intel's oneAPI DPC++ runtime and source its setvars.sh"},
    {"libvulkan", "install the Vulkan loader (Debian, Ubuntu: libvulkan1) and the graphics driver"},
    {"libmkl", "install Intel's oneMKL and source oneAPI's setvars.sh"},
    {"libggml-encoder", "install the backend of exactly this version of ggml-encoder"},
};

std::string advice_on(const std::string& loader_error) {
  for (const Requirement& requirement : kRequirements) {
    if (loader_error.find(requirement.library) != std::string::npos)
      return std::string("; ") + requirement.advice;
  }
  return "";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

ggml_backend_reg_t start(const SharedLibrary& library, std::string& reason) {
  using Init = ggml_backend_reg_t (*)();
  const auto init = reinterpret_cast<Init>(library.find("ggml_backend_init"));
  if (init == nullptr) {
    reason = "its library " + library.path() + " is no ggml backend";
    return nullptr;
  }
  const GgmlGuard guard;
  try {
    ggml_backend_reg_t registry = init();
    if (registry != nullptr && ggml_backend_reg_dev_count(registry) > 0) return registry;
    const std::string said = ggml_errors();
    reason = "its driver shows no device" + (said.empty() ? "" : ": " + said);
  } catch (const std::exception& error) {
    reason = std::string("it did not start: ") + error.what();
  }
  return nullptr;
}

GpuBackend open_backend(const std::string& kind, const std::vector<std::string>& folders) {
  GpuBackend backend{kind, nullptr, ""};
  const std::string file = ENC_GGML_LIBRARY_PREFIX + kind + ENC_GGML_LIBRARY_SUFFIX;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/" + file;
    if (!is_file(path)) continue;
    std::string error;
    const SharedLibrary* library = SharedLibrary::open(path, error);
    if (library != nullptr) {
      backend.registry = start(*library, backend.reason);
    } else {
      backend.reason = "its library does not load: " + error + advice_on(error);
    }
    return backend;
  }
  backend.reason = "there is no " + file + " in " + joined(folders) + "; docs/devices.md says how to get it";
  return backend;
}

[[noreturn]] void refuse(const std::string& id, const std::string& reason) {
  throw Error(ErrorCode::device_unavailable, "device '" + id + "': " + reason);
}

}  // namespace

void set_backend_folders(std::vector<std::string> folders) {
  const std::lock_guard lock(folders_mutex);
  backend_folders = std::move(folders);
}

const std::vector<GpuBackend>& gpu_backends() {
  static const std::vector<GpuBackend> backends = [] {
    const std::lock_guard lock(folders_mutex);
    std::vector<GpuBackend> opened;
    for (const char* kind : {"cuda", "sycl", "vulkan"}) opened.push_back(open_backend(kind, backend_folders));
    return opened;
  }();
  return backends;
}

std::string gpu_id(ggml_backend_dev_t device) {
  for (const GpuBackend& backend : gpu_backends()) {
    const size_t count = backend.registry == nullptr ? 0 : ggml_backend_reg_dev_count(backend.registry);
    for (size_t i = 0; i < count; i++) {
      if (ggml_backend_reg_dev_get(backend.registry, i) == device)
        return backend.kind + ":" + std::to_string(i);
    }
  }
  return "";
}

ggml_backend_dev_t find_gpu(const std::string& id) {
  if (id == "cpu") return nullptr;
  for (const GpuBackend& backend : gpu_backends()) {
    const size_t count = backend.registry == nullptr ? 0 : ggml_backend_reg_dev_count(backend.registry);
    if (id == "auto") {
      if (count > 0) return ggml_backend_reg_dev_get(backend.registry, 0);
      continue;
    }
    if (id.substr(0, id.find(':')) != backend.kind) continue;
    if (count == 0) refuse(id, backend.reason);
    for (size_t i = 0; i < count; i++) {
      ggml_backend_dev_t device = ggml_backend_reg_dev_get(backend.registry, i);
      if (id == gpu_id(device) || (i == 0 && id == backend.kind)) return device;
    }
    refuse(id, "there are " + std::to_string(count) + " devices of this kind, from " + backend.kind + ":0");
  }
  if (id == "auto") return nullptr;
  refuse(id, "there is no such device; `ggml-encoder devices` lists those there are");
}

}  // namespace enc
