// Buffers that a thread keeps between calls. Not thread_local: glibc ends the process when it has no memory
// to note down the destructor of one, and this throws.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>

namespace enc {

/// This thread's only T, made at its first use and destroyed at the thread's end. Throws std::bad_alloc.
template <class T>
T& thread_scratch() {
  struct Key {
    pthread_key_t key;
    Key() {
      if (pthread_key_create(&key, [](void* own) { delete static_cast<T*>(own); }) != 0)
        throw std::bad_alloc();
    }
  };
  static const Key key;
  if (void* own = pthread_getspecific(key.key)) return *static_cast<T*>(own);
  auto made = std::make_unique<T>();
  if (pthread_setspecific(key.key, made.get()) != 0) throw std::bad_alloc();
  return *made.release();
}

}  // namespace enc
