#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace enc::test {

/// A path in the system's folder for temporary files at which nothing lies.
inline std::string temporary_path(const std::string& prefix) {
  static std::random_device random;
  std::filesystem::path path;
  do {
    path = std::filesystem::temp_directory_path() / (prefix + std::to_string(random()));
  } while (std::filesystem::exists(path));
  return path.string();
}

}  // namespace enc::test
