// Buffers that end flush at a page nobody may touch and start behind a guard zone: a kernel that reads or
// writes past the end dies at once, one that writes before the start is found by `intact`.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace enc::test {

#ifdef _WIN32
inline size_t page_size() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}
inline void* map_pages(size_t size) {
  return VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}
inline bool forbid_pages(void* begin, size_t size) {
  DWORD before;
  return VirtualProtect(begin, size, PAGE_NOACCESS, &before) != 0;
}
inline void unmap_pages(void* begin, size_t) {
  VirtualFree(begin, 0, MEM_RELEASE);
}
#else
inline size_t page_size() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}
inline void* map_pages(size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}
inline bool forbid_pages(void* begin, size_t size) {
  return mprotect(begin, size, PROT_NONE) == 0;
}
inline void unmap_pages(void* begin, size_t size) {
  munmap(begin, size);
}
#endif

template <class T>
class Guarded {
 public:
  explicit Guarded(size_t count) : count_(count) {
    const size_t page = page_size();
    const size_t body = (count * sizeof(T) + kGuardBytes + page - 1) / page * page;
    size_ = body + page;
    base_ = static_cast<unsigned char*>(map_pages(size_));
    if (base_ == nullptr || !forbid_pages(base_ + body, page)) std::abort();
    std::memset(base_, kGuardByte, body);
    data_ = reinterpret_cast<T*>(base_ + body - count * sizeof(T));
  }
  ~Guarded() { unmap_pages(base_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return count_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

  bool intact() const {
    for (const unsigned char* p = base_; p < reinterpret_cast<const unsigned char*>(data_); p++) {
      if (*p != kGuardByte) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuardBytes = 256;
  static constexpr unsigned char kGuardByte = 0xa5;
  size_t count_, size_;
  unsigned char* base_;
  T* data_;
};

/// Memory with the alignment that kernels ask of packed weights and scratch, poisoned with NaN, ending near a
/// guard.
class Aligned {
 public:
  explicit Aligned(size_t bytes) : buffer_((bytes + 63) / 64 * 64) {
    std::memset(buffer_.data(), 0xff, buffer_.size());
  }
  void* data() { return buffer_.size() ? buffer_.data() : nullptr; }
  bool intact() const { return buffer_.intact(); }

 private:
  Guarded<unsigned char> buffer_;
};

/// A float no kernel produces: a NaN with a payload.
inline float poison() {
  const uint32_t bits = 0x7fc0dead;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline bool is_poison(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits == 0x7fc0dead;
}

inline void fill_poison(Guarded<float>& buffer) {
  for (size_t i = 0; i < buffer.size(); i++) buffer[i] = poison();
}

/// The same numbers on every system, which std::normal_distribution does not promise: tolerances are for
/// these.
inline void fill_normal(Guarded<float>& buffer, unsigned seed, float deviation = 1.0f) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return (random() + 0.5) / 4294967296.0; };
  for (size_t i = 0; i < buffer.size(); i++) {
    const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
    buffer[i] = static_cast<float>(deviation * radius * std::cos(angle));
  }
}

}  // namespace enc::test
