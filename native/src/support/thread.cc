#include "enc/thread.h"

#include <memory>
#include <system_error>

namespace enc {
namespace {

void* run(void* erased) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(erased));
  (*body)();
  return nullptr;
}

}  // namespace

Thread::Thread(std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  pthread_attr_t attributes;
  int failed = pthread_attr_init(&attributes);
  if (failed == 0) {
    pthread_t handle;
    failed = pthread_attr_setstacksize(&attributes, kThreadStackBytes);
    if (failed == 0) failed = pthread_create(&handle, &attributes, run, owned.get());
    pthread_attr_destroy(&attributes);
    if (failed == 0) handle_ = handle;
  }
  if (failed != 0) throw std::system_error(failed, std::generic_category());
  owned.release();
}

void Thread::join() {
  pthread_join(*handle_, nullptr);
  handle_.reset();
}

}  // namespace enc
