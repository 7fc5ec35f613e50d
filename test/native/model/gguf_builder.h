// Writes GGUF bytes by hand, so that tests can also write what no converter would.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "temporary_path.h"

namespace enc::test {

class GgufBuilder {
 public:
  struct Tensor {
    std::string name;
    std::vector<uint64_t> shape;  // ggml order
    uint32_t type = 0;
    uint64_t offset = 0;
    std::string data;
  };

  static std::string bytes(const void* data, size_t size) { return {static_cast<const char*>(data), size}; }
  template <typename T>
  static std::string raw(T value) {
    return bytes(&value, sizeof value);
  }
  static std::string text(const std::string& s) { return raw<uint64_t>(s.size()) + s; }

  GgufBuilder& value(const std::string& key, uint32_t type, const std::string& encoded) {
    values_.push_back(text(key) + raw<uint32_t>(type) + encoded);
    return *this;
  }
  GgufBuilder& u32(const std::string& key, uint32_t v) { return value(key, 4, raw(v)); }
  GgufBuilder& f32(const std::string& key, float v) { return value(key, 6, raw(v)); }
  GgufBuilder& boolean(const std::string& key, bool v) { return value(key, 7, std::string(1, char(v))); }
  GgufBuilder& str(const std::string& key, const std::string& v) { return value(key, 8, text(v)); }
  GgufBuilder& strs(const std::string& key, const std::vector<std::string>& list) {
    std::string encoded = raw<uint32_t>(8) + raw<uint64_t>(list.size());
    for (const std::string& item : list) encoded += text(item);
    return value(key, 9, encoded);
  }
  GgufBuilder& f32s(const std::string& key, const std::vector<float>& list) { return array(key, 6, list); }
  GgufBuilder& u32s(const std::string& key, const std::vector<uint32_t>& list) { return array(key, 4, list); }
  GgufBuilder& i32s(const std::string& key, const std::vector<int32_t>& list) { return array(key, 5, list); }
  /// f32 data, placed after the tensors before it.
  GgufBuilder& tensor(const std::string& name, const std::vector<uint64_t>& shape,
                      const std::vector<float>& data) {
    tensors_.push_back({name, shape, 0, next_offset_, bytes(data.data(), data.size() * sizeof(float))});
    next_offset_ += (tensors_.back().data.size() + 31) / 32 * 32;
    return *this;
  }
  GgufBuilder& raw_tensor(const Tensor& tensor) {
    tensors_.push_back(tensor);
    return *this;
  }

  /// Lets `change` give every tensor another type and data; offsets follow.
  template <typename Change>
  GgufBuilder& rewrite(const Change& change) {
    next_offset_ = 0;
    for (Tensor& tensor : tensors_) {
      change(tensor);
      tensor.offset = next_offset_;
      next_offset_ += (tensor.data.size() + 31) / 32 * 32;
    }
    return *this;
  }

  std::string build(uint32_t version = 3) const {
    std::string out = "GGUF" + raw(version) + raw<uint64_t>(tensors_.size()) + raw<uint64_t>(values_.size());
    for (const std::string& value : values_) out += value;
    for (const Tensor& tensor : tensors_) {
      out += text(tensor.name) + raw<uint32_t>(uint32_t(tensor.shape.size()));
      for (const uint64_t size : tensor.shape) out += raw(size);
      out += raw(tensor.type) + raw(tensor.offset);
    }
    for (const Tensor& tensor : tensors_) {
      out.resize((out.size() + 31) / 32 * 32);
      out += tensor.data;
    }
    return out;
  }

 private:
  template <typename T>
  GgufBuilder& array(const std::string& key, uint32_t type, const std::vector<T>& list) {
    return value(key, 9,
                 raw(type) + raw<uint64_t>(list.size()) + bytes(list.data(), list.size() * sizeof(T)));
  }
  std::vector<std::string> values_;
  std::vector<Tensor> tensors_;
  uint64_t next_offset_ = 0;
};

/// A file that is there as long as this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = temporary_path("enc-test-") + ".gguf";
};

}  // namespace enc::test
