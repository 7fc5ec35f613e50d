// A regular file opened once for reading by position. Used by the GGUF reader; knows nothing of formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace enc {

class File {
 public:
  /// Opens `path` (UTF-8). Throws Error(model_not_found) when nothing is there and Error(io_failed) when it
  /// is not a regular file or cannot be read.
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes, at the time of opening.
  uint64_t size() const { return size_; }
  /// Fills `destination` with exactly `count` bytes from `offset`. Throws Error(io_failed) on a short read.
  void read_at(uint64_t offset, void* destination, size_t count) const;
  /// Throws Error(io_failed) when size or modification time differ from those at opening.
  void check_unchanged() const;

 private:
  std::string path_;
  uint64_t size_ = 0;
  int64_t modified_ns_ = 0;
  int descriptor_ = -1;
};

}  // namespace enc
