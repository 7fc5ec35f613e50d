// A GGUF file opened for reading: metadata and tensor table, every bound checked against the real file size.
// ggml's own reader is not used: it aborts on, or accepts, files that this one refuses (docs/gguf.md).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "enc/model.h"
#include "ggml.h"
#include "support/file.h"

namespace enc {

struct GgufTensor {
  std::string name;
  ggml_type type = GGML_TYPE_F32;
  std::vector<int64_t> shape;  ///< ggml order: innermost dimension first, 1 to 4 entries
  uint64_t offset = 0;         ///< of the first byte, from the start of the file
  uint64_t size_bytes = 0;
  uint64_t num_elements = 0;
};

class GgufFile {
 public:
  /// Reads and checks header and tensor table. Throws Error(gguf_malformed, limit_exceeded,
  /// dtype_unsupported, model_not_found, io_failed).
  explicit GgufFile(const std::string& path, const FileLimits& limits = {});

  const std::string& path() const { return file_.path(); }
  uint64_t size_bytes() const { return file_.size(); }

  bool has(const std::string& key) const { return values_.contains(key); }
  /// Typed getters throw Error(gguf_malformed) when the key is absent or has another type. Integers may be
  /// stored in any integer type as long as the value is not negative. All strings are valid UTF-8.
  uint64_t integer(const std::string& key) const;
  uint64_t integer(const std::string& key, uint64_t fallback) const;
  double number(const std::string& key) const;
  bool boolean(const std::string& key, bool fallback) const;
  const std::string& string(const std::string& key) const;
  std::string string(const std::string& key, const std::string& fallback) const;
  const std::vector<std::string>& strings(const std::string& key) const;
  /// An array of numbers of any type, read from the file now. More than `max_count` of them are malformed.
  std::vector<double> numbers(const std::string& key, size_t max_count) const;

  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  /// nullptr when there is no such tensor.
  const GgufTensor* find_tensor(const std::string& name) const;

  /// Reads `count` bytes of the tensor's data, starting `offset` bytes into it.
  void read_tensor(const GgufTensor& tensor, uint64_t offset, void* destination, size_t count) const;
  /// Throws Error(io_failed) when the file changed since it was opened.
  void check_unchanged() const { file_.check_unchanged(); }

  /// The error every complaint about this file takes: the path in front of `message`.
  [[noreturn]] void malformed(const std::string& message) const;
  /// Error(limit_exceeded): `message`, then the limit's name as callers know it.
  [[noreturn]] void too_much(const std::string& message, const char* limit, uint64_t value) const;

 private:
  class Cursor;
  /// Arrays of numbers stay in the file until someone asks for them.
  struct NumberArray {
    uint32_t type;
    uint64_t count;
    uint64_t position;
  };
  using Value =
      std::variant<uint64_t, int64_t, double, bool, std::string, std::vector<std::string>, NumberArray>;

  Value read_value(Cursor& cursor, uint32_t type, const std::string& key);
  Value read_array(Cursor& cursor, const std::string& key);
  void read_metadata(Cursor& cursor, uint64_t count);
  void read_tensor_table(Cursor& cursor, uint64_t count);
  const Value& value(const std::string& key) const;

  File file_;
  FileLimits limits_;
  std::unordered_map<std::string, Value> values_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string, size_t> tensor_index_;
  uint64_t total_array_elements_ = 0;
};

}  // namespace enc
