// A read-only JSON document with bounds: the form in which tokenizer.json is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace enc {

enum class JsonKind : uint8_t { kNull, kBool, kInteger, kNumber, kString, kArray, kObject };

class JsonDocument;

/// A value inside a document, which must outlive it. The typed readers throw Error(checkpoint_malformed) that
/// names the value's path when it is of another kind.
class JsonValue {
 public:
  JsonKind kind() const;
  bool is_null() const { return kind() == JsonKind::kNull; }
  bool as_bool() const;
  std::string_view as_string() const;
  /// An integer within [low, high].
  int64_t as_integer(int64_t low, int64_t high) const;

  /// A finite number.
  double as_number() const;
  /// Number of members or items of an object or array.
  size_t size() const;

  /// The member `key` of an object, nothing when it is absent. A key that occurs twice is an error.
  std::optional<JsonValue> find(std::string_view key) const;
  /// The same for a member that must be there.
  JsonValue at(std::string_view key) const;

  /// Calls visit(key, value) for each member of an object, in order, duplicates included.
  template <typename Visitor>
  void for_each_member(Visitor visit) const {
    expect(JsonKind::kObject, "an object");
    for (uint32_t i = index_ + 1; i < end(index_); i = end(i + 1)) visit(value(i).as_string(), value(i + 1));
  }
  /// Calls visit(value) for each item of an array.
  template <typename Visitor>
  void for_each_item(Visitor visit) const {
    expect(JsonKind::kArray, "an array");
    for (uint32_t i = index_ + 1; i < end(index_); i = end(i)) visit(value(i));
  }

  /// Where the value stands, as in "model.vocab" or "added_tokens[3].id".
  std::string path() const;
  /// Error(checkpoint_malformed): "tokenizer.json: <path> <problem>".
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument* document, uint32_t index) : document_(document), index_(index) {}
  JsonValue value(uint32_t index) const { return {document_, index}; }
  uint32_t end(uint32_t index) const;
  void expect(JsonKind kind, const char* name) const;

  const JsonDocument* document_;
  uint32_t index_;
};

class JsonDocument {
 public:
  /// Throws Error(checkpoint_malformed) for what is not JSON, Error(limit_exceeded) beyond 128 MiB, 8 Mi
  /// values or 64 levels.
  explicit JsonDocument(std::string_view text);

  JsonValue root() const { return {this, 0}; }

 private:
  friend class JsonValue;
  friend class JsonReader;

  struct Node {
    JsonKind kind;
    uint32_t end;  // index of the node that follows this one and all inside it
    union {
      bool boolean;
      int64_t integer;
      double number;
      struct {
        uint32_t start, size;
      } string;  // bytes in strings_
    };
  };

  std::vector<Node> nodes_;  // depth first; an object's members are a string node and a value each
  std::string strings_;
};

}  // namespace enc
