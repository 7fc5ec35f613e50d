#pragma once

#include <filesystem>
#include <string>

namespace enc {

/// A path for the system's calls: Windows takes narrow ones for text in its own code page.
inline std::filesystem::path native_path(const std::string& utf8) {
  return std::u8string(utf8.begin(), utf8.end());
}

}  // namespace enc
