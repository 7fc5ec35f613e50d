#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#ifdef _WIN32
#include <windows.h>
#endif

namespace enc {

/// A variable as the process has it now: Windows' C library keeps those of its start, without what JavaScript
/// sets.
inline std::optional<std::string> environment_variable(const char* name) {
#ifdef _WIN32
  std::string value(GetEnvironmentVariableA(name, nullptr, 0), '\0');
  if (value.empty()) return std::nullopt;
  value.resize(GetEnvironmentVariableA(name, value.data(), DWORD(value.size())));
  return value;
#else
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
#endif
}

}  // namespace enc
