#include "model/gguf_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "enc/error.h"
#include "model/stored_types.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

// Those of the format; what a caller may change is in FileLimits. docs/gguf.md lists them.
constexpr uint64_t kMaxKeyBytes = 255;
constexpr uint64_t kMaxTensorNameBytes = 63;
constexpr uint64_t kMaxDimension = (uint64_t(1) << 31) - 1;
constexpr uint64_t kMinAlignment = 8, kMaxAlignment = 4096, kDefaultAlignment = 32;

enum ValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};

size_t value_size(uint32_t type) {
  switch (type) {
    case kU8:
    case kI8:
    case kBool:
      return 1;
    case kU16:
    case kI16:
      return 2;
    case kU32:
    case kI32:
    case kF32:
      return 4;
    case kU64:
    case kI64:
    case kF64:
      return 8;
    default:
      return 0;
  }
}

template <typename T>
double number_at(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return double(value);
}

double to_number(uint32_t type, const char* bytes) {
  switch (type) {
    case kU8:
    case kBool:
      return number_at<uint8_t>(bytes);
    case kI8:
      return number_at<int8_t>(bytes);
    case kU16:
      return number_at<uint16_t>(bytes);
    case kI16:
      return number_at<int16_t>(bytes);
    case kU32:
      return number_at<uint32_t>(bytes);
    case kI32:
      return number_at<int32_t>(bytes);
    case kF32:
      return number_at<float>(bytes);
    case kU64:
      return number_at<uint64_t>(bytes);
    case kI64:
      return number_at<int64_t>(bytes);
    default:
      return number_at<double>(bytes);
  }
}

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

}  // namespace

/// Sequential reads over the header through one buffer; no read passes the end of the file.
class GgufFile::Cursor {
 public:
  explicit Cursor(const GgufFile& owner)
      : owner_(owner), limit_(std::min(owner.size_bytes(), owner.limits_.gguf_header_bytes)) {}

  uint64_t position() const { return position_; }

  void require(uint64_t count, const char* what) const {
    if (count > limit_ - position_) {
      if (limit_ < owner_.size_bytes())
        owner_.too_much("the header goes on after " + std::to_string(limit_) + " bytes", "ggufHeaderBytes",
                        limit_);
      owner_.malformed(std::string("the file ends inside ") + what + " at byte " + std::to_string(position_));
    }
  }

  void read(void* destination, size_t count, const char* what) {
    require(count, what);
    auto* out = static_cast<char*>(destination);
    while (count > 0) {
      if (position_ < buffer_start_ || position_ >= buffer_start_ + buffer_.size()) fill();
      const size_t at = size_t(position_ - buffer_start_);
      const size_t take = std::min(count, buffer_.size() - at);
      std::memcpy(out, buffer_.data() + at, take);
      out += take;
      position_ += take;
      count -= take;
    }
  }

  template <typename T>
  T get(const char* what) {
    T result;
    read(&result, sizeof result, what);
    return result;
  }

  void skip(uint64_t count, const char* what) {
    require(count, what);
    position_ += count;
  }

  /// A name: its longest is the format's own.
  std::string name(uint64_t max_bytes, const char* what) {
    const uint64_t length = get<uint64_t>(what);
    require(length, what);
    if (length > max_bytes) {
      throw Error(ErrorCode::limit_exceeded, quoted(owner_.path()) + ": " + what + " is " +
                                                 std::to_string(length) + " bytes long; the limit is " +
                                                 std::to_string(max_bytes));
    }
    return utf8(length, what);
  }

  std::string text(const char* what) {
    const uint64_t length = get<uint64_t>(what);
    require(length, what);
    if (length > owner_.limits_.gguf_string_bytes) {
      owner_.too_much(std::string(what) + " is " + std::to_string(length) + " bytes long", "ggufStringBytes",
                      owner_.limits_.gguf_string_bytes);
    }
    return utf8(length, what);
  }

 private:
  std::string utf8(uint64_t length, const char* what) {
    std::string result(length, '\0');
    read(result.data(), length, what);
    if (!utf8::is_valid(result)) owner_.malformed(std::string(what) + " is not UTF-8");
    return result;
  }

  void fill() {
    buffer_.resize(size_t(std::min<uint64_t>(1 << 18, limit_ - position_)));
    owner_.file_.read_at(position_, buffer_.data(), buffer_.size());
    buffer_start_ = position_;
  }

  const GgufFile& owner_;
  uint64_t limit_;
  uint64_t position_ = 0;
  uint64_t buffer_start_ = 0;
  std::vector<char> buffer_;
};

void GgufFile::malformed(const std::string& message) const {
  throw Error(ErrorCode::gguf_malformed, quoted(path()) + " is not a usable GGUF file: " + message);
}

void GgufFile::too_much(const std::string& message, const char* limit, uint64_t value) const {
  throw Error(ErrorCode::limit_exceeded,
              quoted(path()) + ": " + message + "; the limit " + limit + " is " + std::to_string(value));
}

GgufFile::GgufFile(const std::string& path, const FileLimits& limits) : file_(path), limits_(limits) {
  static_assert(std::endian::native == std::endian::little, "GGUF files are little-endian");
  Cursor cursor(*this);
  char magic[4];
  cursor.read(magic, 4, "the magic number");
  if (std::memcmp(magic, "GGUF", 4) != 0) malformed("it does not begin with the bytes GGUF");
  const auto version = cursor.get<uint32_t>("the version");
  if (version != 2 && version != 3) malformed("version " + std::to_string(version) + "; 2 and 3 are read");
  const auto num_tensors = cursor.get<uint64_t>("the tensor count");
  const auto num_values = cursor.get<uint64_t>("the metadata count");
  if (num_tensors > limits.gguf_tensors) {
    too_much("it claims " + std::to_string(num_tensors) + " tensors", "ggufTensors", limits.gguf_tensors);
  }
  if (num_values > limits.gguf_entries) {
    too_much("it claims " + std::to_string(num_values) + " metadata entries", "ggufEntries",
             limits.gguf_entries);
  }
  // The smallest entries there can be: 8 + 1 + 4 + 1 bytes of metadata, 8 + 1 + 4 + 8 + 4 + 8 of tensor info.
  cursor.require(num_values * 14 + num_tensors * 33, "its tables");
  read_metadata(cursor, num_values);
  read_tensor_table(cursor, num_tensors);
}

void GgufFile::read_metadata(Cursor& cursor, uint64_t count) {
  values_.reserve(count);
  for (uint64_t i = 0; i < count; i++) {
    std::string key = cursor.name(kMaxKeyBytes, "a metadata key");
    if (key.empty() || key.find('\0') != std::string::npos) malformed("a metadata key is empty or holds NUL");
    const auto type = cursor.get<uint32_t>("a metadata type");
    Value read = read_value(cursor, type, key);
    if (!values_.emplace(key, std::move(read)).second) malformed("the key " + quoted(key) + " occurs twice");
  }
}

GgufFile::Value GgufFile::read_value(Cursor& cursor, uint32_t type, const std::string& key) {
  switch (type) {
    case kU8:
      return uint64_t(cursor.get<uint8_t>("a value"));
    case kI8:
      return int64_t(cursor.get<int8_t>("a value"));
    case kU16:
      return uint64_t(cursor.get<uint16_t>("a value"));
    case kI16:
      return int64_t(cursor.get<int16_t>("a value"));
    case kU32:
      return uint64_t(cursor.get<uint32_t>("a value"));
    case kI32:
      return int64_t(cursor.get<int32_t>("a value"));
    case kU64:
      return cursor.get<uint64_t>("a value");
    case kI64:
      return cursor.get<int64_t>("a value");
    case kF32:
      return double(cursor.get<float>("a value"));
    case kF64:
      return cursor.get<double>("a value");
    case kBool: {
      const auto byte = cursor.get<uint8_t>("a value");
      if (byte > 1) malformed("the boolean " + quoted(key) + " is " + std::to_string(byte));
      return byte == 1;
    }
    case kString:
      return cursor.text("a metadata string");
    case kArray:
      return read_array(cursor, key);
    default:
      malformed("the key " + quoted(key) + " has the unknown type " + std::to_string(type));
  }
}

GgufFile::Value GgufFile::read_array(Cursor& cursor, const std::string& key) {
  const auto type = cursor.get<uint32_t>("an array type");
  const auto count = cursor.get<uint64_t>("an array length");
  if (type == kArray || type > kF64)
    malformed("the array " + quoted(key) + " holds type " + std::to_string(type));
  const uint64_t most = limits_.gguf_array_elements;
  if (count > most || count > 2 * most - total_array_elements_) {
    too_much("the array " + quoted(key) + " holds " + std::to_string(count) +
                 " elements and those before it " + std::to_string(total_array_elements_),
             "ggufArrayElements", most);
  }
  total_array_elements_ += count;
  if (type != kString) {
    const NumberArray array{type, count, cursor.position()};
    cursor.skip(count * value_size(type), "an array");
    return array;
  }
  cursor.require(count * 8, "an array of strings");
  std::vector<std::string> strings;
  strings.reserve(count);
  for (uint64_t i = 0; i < count; i++) strings.push_back(cursor.text("a string of an array"));
  return strings;
}

void GgufFile::read_tensor_table(Cursor& cursor, uint64_t count) {
  tensors_.reserve(count);
  for (uint64_t i = 0; i < count; i++) {
    GgufTensor tensor;
    tensor.name = cursor.name(kMaxTensorNameBytes, "a tensor name");
    const auto dims = cursor.get<uint32_t>("a tensor's rank");
    if (tensor.name.empty() || tensor.name.find('\0') != std::string::npos)
      malformed("a tensor name is empty or holds NUL");
    if (dims < 1 || dims > 4)
      malformed("tensor " + quoted(tensor.name) + " has " + std::to_string(dims) + " dimensions");
    uint64_t elements = 1;
    for (uint32_t d = 0; d < dims; d++) {
      const auto size = cursor.get<uint64_t>("a tensor's shape");
      if (size < 1 || size > kMaxDimension || elements > (uint64_t(1) << 40) / size) {
        malformed("dimension " + std::to_string(d) + " of tensor " + quoted(tensor.name) + " is " +
                  std::to_string(size));
      }
      elements *= size;
      tensor.shape.push_back(int64_t(size));
    }
    const auto type = cursor.get<uint32_t>("a tensor's type");
    if (!is_readable_type(type)) {
      throw Error(ErrorCode::dtype_unsupported, quoted(path()) + ": tensor " + quoted(tensor.name) +
                                                    " has ggml type " + std::to_string(type) +
                                                    "; F32, F16, BF16, Q4_0, Q4_1, Q5_0, "
                                                    "Q5_1, Q8_0 and Q2_K to Q6_K are read");
    }
    tensor.type = ggml_type(type);
    const uint64_t block = uint64_t(ggml_blck_size(tensor.type));
    if (uint64_t(tensor.shape[0]) % block != 0) {
      malformed("the rows of tensor " + quoted(tensor.name) + " are no multiple of its block of " +
                std::to_string(block));
    }
    tensor.num_elements = elements;
    tensor.size_bytes = elements / block * ggml_type_size(tensor.type);
    tensor.offset = cursor.get<uint64_t>("a tensor's offset");
    if (!tensor_index_.emplace(tensor.name, tensors_.size()).second) {
      malformed("tensor " + quoted(tensor.name) + " occurs twice");
    }
    tensors_.push_back(std::move(tensor));
  }

  const uint64_t alignment = integer("general.alignment", kDefaultAlignment);
  if (alignment < kMinAlignment || alignment > kMaxAlignment || !std::has_single_bit(alignment)) {
    malformed("general.alignment is " + std::to_string(alignment));
  }
  const auto aligned = [&](uint64_t n) { return (n + alignment - 1) / alignment * alignment; };
  const uint64_t data_start = aligned(cursor.position());
  uint64_t expected = 0;
  for (GgufTensor& tensor : tensors_) {
    if (tensor.offset != expected) {
      malformed("tensor " + quoted(tensor.name) + " begins at " + std::to_string(tensor.offset) +
                " of the data; the sizes before it add up to " + std::to_string(expected));
    }
    tensor.offset += data_start;
    if (tensor.offset > size_bytes() || tensor.size_bytes > size_bytes() - tensor.offset) {
      malformed("tensor " + quoted(tensor.name) +
                " reaches past the end of the file; the file was cut short");
    }
    expected += aligned(tensor.size_bytes);
  }
  const uint64_t end =
      tensors_.empty() ? cursor.position() : tensors_.back().offset + tensors_.back().size_bytes;
  if (size_bytes() - end >= alignment)
    malformed(std::to_string(size_bytes() - end) + " bytes follow the last tensor");
}

const GgufFile::Value& GgufFile::value(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) malformed("the key " + quoted(key) + " is missing");
  return found->second;
}

uint64_t GgufFile::integer(const std::string& key) const {
  const Value& found = value(key);
  if (const auto* positive = std::get_if<uint64_t>(&found)) return *positive;
  if (const auto* number = std::get_if<int64_t>(&found); number && *number >= 0) return uint64_t(*number);
  malformed("the key " + quoted(key) + " is not a non-negative integer");
}

uint64_t GgufFile::integer(const std::string& key, uint64_t fallback) const {
  return has(key) ? integer(key) : fallback;
}

double GgufFile::number(const std::string& key) const {
  if (const auto* number = std::get_if<double>(&value(key))) return *number;
  malformed("the key " + quoted(key) + " is not a floating-point number");
}

bool GgufFile::boolean(const std::string& key, bool fallback) const {
  if (!has(key)) return fallback;
  if (const auto* flag = std::get_if<bool>(&value(key))) return *flag;
  malformed("the key " + quoted(key) + " is not a boolean");
}

const std::string& GgufFile::string(const std::string& key) const {
  if (const auto* text = std::get_if<std::string>(&value(key))) return *text;
  malformed("the key " + quoted(key) + " is not a string");
}

std::string GgufFile::string(const std::string& key, const std::string& fallback) const {
  return has(key) ? string(key) : fallback;
}

const std::vector<std::string>& GgufFile::strings(const std::string& key) const {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value(key))) return *list;
  malformed("the key " + quoted(key) + " is not an array of strings");
}

std::vector<double> GgufFile::numbers(const std::string& key, size_t max_count) const {
  const auto* array = std::get_if<NumberArray>(&value(key));
  if (array == nullptr) malformed("the key " + quoted(key) + " is not an array of numbers");
  if (array->count > max_count) {
    malformed("the array " + quoted(key) + " holds " + std::to_string(array->count) + " numbers; at most " +
              std::to_string(max_count) + " make sense");
  }
  const size_t width = value_size(array->type);
  std::vector<char> bytes(size_t(array->count) * width);
  file_.read_at(array->position, bytes.data(), bytes.size());
  std::vector<double> result;
  for (size_t at = 0; at < bytes.size(); at += width) result.push_back(to_number(array->type, &bytes[at]));
  return result;
}

const GgufTensor* GgufFile::find_tensor(const std::string& name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

void GgufFile::read_tensor(const GgufTensor& tensor, uint64_t offset, void* destination, size_t count) const {
  if (offset > tensor.size_bytes || count > tensor.size_bytes - offset) {
    throw Error(ErrorCode::internal, "read past the end of tensor " + quoted(tensor.name));
  }
  file_.read_at(tensor.offset + offset, destination, count);
}

}  // namespace enc
