// Bytes as a GGUF file: opened, its hyperparameters read, its weights loaded, a batch run; as Model::load
// does it.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "enc/error.h"
#include "enc/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = memfd_create("gguf", 0);
  if (file < 0 || write(file, data, size) != ssize_t(size)) return 0;
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  try {
    enc::LoadOptions options;
    options.threads = 1;
    options.kernels = size % 2 == 0 ? enc::KernelChoice::kAuto : enc::KernelChoice::kPortable;
    options.limits.memory_bytes = uint64_t(256) << 20;
    const auto model = enc::Model::load(path, options);
    std::atomic<bool> done = false;
    std::vector<enc::Input> inputs(1);
    inputs[0].text = "the word a [SEP] b";
    // A chat template takes a pair.
    if (size / 2 % 2 == 0) inputs[0].pair = "a b";
    model->run(std::move(inputs), {}, [&](std::exception_ptr, enc::RunResult) {
      done = true;
      done.notify_all();
    });
    done.wait(false);
    model->close(false);
  } catch (const enc::Error& error) {
    // An internal error is a check that was left out.
    if (error.code() == enc::ErrorCode::internal) __builtin_trap();
  } catch (const std::bad_alloc&) {
  }
  close(file);
  return 0;
}
