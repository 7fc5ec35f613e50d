// Fills the document from the parser's events: no tree of allocations, and every bound is checked as the text
// is read.
#include "tokenizer/json_document.h"

#include <cmath>
#include <json.hpp>

#include "enc/error.h"

namespace enc {
namespace {

constexpr size_t kMaxBytes = size_t{128} << 20;  // the largest published tokenizer.json files have 35 MB
constexpr size_t kMaxNodes = size_t{8} << 20;    // those have 2.5 million values
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxShownKey = 60;  // bytes of a key in a message

[[noreturn]] void fail_limit(const std::string& what) {
  throw Error(ErrorCode::limit_exceeded, "tokenizer.json: " + what + "; no real tokenizer comes near this");
}

}  // namespace

/// Event receiver for nlohmann's parser, which keeps no recursion of its own.
class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonReader(JsonDocument& document) : document_(document) {}

  bool null() override { return add(JsonKind::kNull), true; }
  bool boolean(bool value) override { return add(JsonKind::kBool).boolean = value, true; }
  bool number_integer(int64_t value) override { return add(JsonKind::kInteger).integer = value, true; }
  bool number_unsigned(uint64_t value) override {
    if (value <= INT64_MAX) return number_integer(static_cast<int64_t>(value));
    return add(JsonKind::kNumber).number = static_cast<double>(value), true;
  }
  bool number_float(double value, const std::string&) override {
    return add(JsonKind::kNumber).number = value, true;
  }
  bool string(std::string& value) override {
    auto& node = add(JsonKind::kString);
    node.string.start = static_cast<uint32_t>(document_.strings_.size());
    node.string.size = static_cast<uint32_t>(value.size());
    document_.strings_ += value;
    return true;
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool key(std::string& value) override { return string(value); }
  bool start_object(size_t) override { return open(JsonKind::kObject); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(JsonKind::kArray); }
  bool end_array() override { return close(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw Error(ErrorCode::checkpoint_malformed, "tokenizer.json: not valid JSON at byte " +
                                                     std::to_string(position) + "; fetch the file again");
  }

 private:
  JsonDocument::Node& add(JsonKind kind) {
    auto& nodes = document_.nodes_;
    if (nodes.size() >= kMaxNodes) fail_limit("more than " + std::to_string(kMaxNodes) + " values");
    nodes.push_back({kind, static_cast<uint32_t>(nodes.size() + 1), {}});
    return nodes.back();
  }
  bool open(JsonKind kind) {
    if (open_.size() >= kMaxDepth) fail_limit("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    open_.push_back(static_cast<uint32_t>(document_.nodes_.size()));
    add(kind);
    return true;
  }
  bool close() {
    document_.nodes_[open_.back()].end = static_cast<uint32_t>(document_.nodes_.size());
    open_.pop_back();
    return true;
  }

  JsonDocument& document_;
  std::vector<uint32_t> open_;
};

JsonDocument::JsonDocument(std::string_view text) {
  if (text.size() > kMaxBytes) fail_limit("larger than 128 MiB");
  JsonReader reader(*this);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
}

JsonKind JsonValue::kind() const {
  return document_->nodes_[index_].kind;
}

uint32_t JsonValue::end(uint32_t index) const {
  return document_->nodes_[index].end;
}

void JsonValue::expect(JsonKind wanted, const char* name) const {
  if (kind() != wanted) fail(std::string("must be ") + name);
}

bool JsonValue::as_bool() const {
  expect(JsonKind::kBool, "true or false");
  return document_->nodes_[index_].boolean;
}

std::string_view JsonValue::as_string() const {
  expect(JsonKind::kString, "a string");
  const auto& string = document_->nodes_[index_].string;
  return std::string_view(document_->strings_).substr(string.start, string.size);
}

int64_t JsonValue::as_integer(int64_t low, int64_t high) const {
  expect(JsonKind::kInteger, "an integer");
  const int64_t integer = document_->nodes_[index_].integer;
  if (integer < low || integer > high)
    fail("is " + std::to_string(integer) + ", outside " + std::to_string(low) + ".." + std::to_string(high));
  return integer;
}

double JsonValue::as_number() const {
  const auto& node = document_->nodes_[index_];
  if (node.kind == JsonKind::kInteger) return static_cast<double>(node.integer);
  expect(JsonKind::kNumber, "a number");
  if (!std::isfinite(node.number)) fail("is not a finite number");
  return node.number;
}

size_t JsonValue::size() const {
  size_t count = 0;
  if (kind() == JsonKind::kObject)
    for_each_member([&](std::string_view, JsonValue) { count++; });
  else
    for_each_item([&](JsonValue) { count++; });
  return count;
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  std::optional<JsonValue> found;
  for_each_member([&](std::string_view name, JsonValue member) {
    if (name != key) return;
    if (found) member.fail("occurs twice");
    found = member;
  });
  return found;
}

JsonValue JsonValue::at(std::string_view key) const {
  if (const auto member = find(key)) return *member;
  fail("lacks \"" + std::string(key) + "\"");
}

std::string JsonValue::path() const {
  std::string path;
  JsonValue at = document_->root();
  while (at.index_ != index_) {
    JsonValue next = at;
    size_t position = 0;
    const auto holds = [&](JsonValue child) { return child.index_ <= index_ && index_ < end(child.index_); };
    if (at.kind() == JsonKind::kObject) {
      at.for_each_member([&](std::string_view key, JsonValue member) {
        if (!holds(member)) return;
        next = member;
        if (!path.empty()) path += '.';
        path += key.substr(0, kMaxShownKey);
      });
    } else {
      at.for_each_item([&](JsonValue item) {
        if (holds(item)) {
          next = item;
          path.append("[").append(std::to_string(position)).append("]");
        }
        position++;
      });
    }
    if (next.index_ == at.index_) break;  // a key, which has no path of its own
    at = next;
  }
  return path.empty() ? "the document" : path;
}

void JsonValue::fail(const std::string& problem) const {
  throw Error(ErrorCode::checkpoint_malformed, "tokenizer.json: " + path() + " " + problem);
}

}  // namespace enc
