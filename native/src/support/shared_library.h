// Libraries that are opened at run time and stay open.
#pragma once

#include <string>

namespace enc {

/// True for an existing file, through links.
bool is_file(const std::string& path);

class SharedLibrary {
 public:
  /// Null, and the loader's words in `error`, when it does not load. Never closed or freed.
  static const SharedLibrary* open(const std::string& path, std::string& error);

  const std::string& path() const noexcept { return path_; }
  /// Null when the library has no such symbol.
  void* find(const char* symbol) const;

 private:
  SharedLibrary(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  void* handle_;
};

}  // namespace enc
