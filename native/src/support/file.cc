#include "support/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "enc/error.h"

#ifdef _WIN32
#include <io.h>
#include <windows.h>

#include "support/native_path.h"
#else
#include <unistd.h>
#endif

namespace enc {

namespace {

#ifdef _WIN32
using Stat = struct _stat64;
HANDLE handle_of(int descriptor) {
  return reinterpret_cast<HANDLE>(_get_osfhandle(descriptor));
}
int open_for_reading(const std::string& path) {
  return _wopen(native_path(path).c_str(), _O_RDONLY | _O_BINARY | _O_NOINHERIT);
}
int stat_descriptor(int descriptor, Stat* status) {
  return _fstat64(descriptor, status);
}
bool is_regular(const Stat& status) {
  return (status.st_mode & _S_IFMT) == _S_IFREG;
}
int64_t modified_ns(int descriptor, const Stat&) {
  FILETIME time{};  // in units of 100 ns, where the status has seconds
  GetFileTime(handle_of(descriptor), nullptr, nullptr, &time);
  return int64_t(uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime) * 100;
}
int64_t read_some(int descriptor, uint64_t offset, void* destination, size_t count) {
  OVERLAPPED position{};
  position.Offset = DWORD(offset);
  position.OffsetHigh = DWORD(offset >> 32);
  DWORD got = 0;
  const auto wanted = DWORD(std::min<size_t>(count, 1u << 30));
  if (ReadFile(handle_of(descriptor), destination, wanted, &got, &position)) return got;
  if (GetLastError() == ERROR_HANDLE_EOF) return 0;
  errno = EIO;
  return -1;
}
void close_descriptor(int descriptor) {
  _close(descriptor);
}
#else
using Stat = struct stat;
int open_for_reading(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}
int stat_descriptor(int descriptor, Stat* status) {
  return ::fstat(descriptor, status);
}
bool is_regular(const Stat& status) {
  return S_ISREG(status.st_mode);
}
#ifdef __APPLE__
int64_t modified_ns(int, const Stat& status) {
  return int64_t(status.st_mtimespec.tv_sec) * 1000000000 + status.st_mtimespec.tv_nsec;
}
#else
int64_t modified_ns(int, const Stat& status) {
  return int64_t(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
}
#endif
int64_t read_some(int descriptor, uint64_t offset, void* destination, size_t count) {
  return ::pread(descriptor, destination, std::min<size_t>(count, size_t(1) << 30), off_t(offset));
}
void close_descriptor(int descriptor) {
  ::close(descriptor);
}
#endif

}  // namespace

File::File(const std::string& path) : path_(path) {
  // O_NONBLOCK keeps the open of a FIFO from waiting for a writer; it has no effect on regular files.
  descriptor_ = open_for_reading(path);
  if (descriptor_ < 0) {
    const int reason = errno;
    const bool absent = reason == ENOENT || reason == ENOTDIR;
    throw Error(absent ? ErrorCode::model_not_found : ErrorCode::io_failed,
                "cannot open '" + path + "': " + std::strerror(reason));
  }
  Stat status;
  if (stat_descriptor(descriptor_, &status) != 0 || !is_regular(status)) {
    close_descriptor(descriptor_);
    throw Error(ErrorCode::io_failed, "'" + path + "' is not a regular file");
  }
  size_ = uint64_t(status.st_size);
  modified_ns_ = modified_ns(descriptor_, status);
}

File::~File() {
  close_descriptor(descriptor_);
}

void File::read_at(uint64_t offset, void* destination, size_t count) const {
  auto* out = static_cast<char*>(destination);
  while (count > 0) {
    const int64_t got = read_some(descriptor_, offset, out, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ErrorCode::io_failed, "cannot read '" + path_ + "' at byte " + std::to_string(offset) +
                                            ": " +
                                            (got == 0 ? "the file ended early" : std::strerror(errno)));
    }
    offset += uint64_t(got);
    out += got;
    count -= size_t(got);
  }
}

void File::check_unchanged() const {
  Stat status;
  if (stat_descriptor(descriptor_, &status) != 0 || uint64_t(status.st_size) != size_ ||
      modified_ns(descriptor_, status) != modified_ns_) {
    throw Error(ErrorCode::io_failed, "'" + path_ + "' changed while it was read; load it again");
  }
}

}  // namespace enc
