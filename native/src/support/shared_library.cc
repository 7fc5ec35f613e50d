#include "support/shared_library.h"

#include "support/native_path.h"

#ifdef _WIN32
#include <windows.h>

#include <system_error>
#else
#include <dlfcn.h>
#endif

namespace enc {

bool is_file(const std::string& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(native_path(path), failed);
}

#ifdef _WIN32

const SharedLibrary* SharedLibrary::open(const std::string& path, std::string& error) {
  HMODULE handle = LoadLibraryExW(native_path(path).make_preferred().c_str(), nullptr,
                                  LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  if (handle != nullptr) return new SharedLibrary(path, handle);
  const DWORD code = GetLastError();
  error = path + ": " + std::system_category().message(int(code)) + " (" + std::to_string(code) + ")";
  return nullptr;
}

void* SharedLibrary::find(const char* symbol) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), symbol));
}

#else

const SharedLibrary* SharedLibrary::open(const std::string& path, std::string& error) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return new SharedLibrary(path, handle);
  const char* reason = dlerror();
  error = reason == nullptr ? path : reason;
  return nullptr;
}

void* SharedLibrary::find(const char* symbol) const {
  return dlsym(handle_, symbol);
}

#endif

}  // namespace enc
