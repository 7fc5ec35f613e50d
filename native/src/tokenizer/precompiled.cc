// A grapheme cluster of less than six bytes is replaced as a whole by what the shortest key at its beginning
// asks for; a longer one, or one that no key begins, character by character. SentencePiece itself takes the
// longest key; models were trained with this one's result where they were trained with the library.
#include "tokenizer/precompiled.h"

#include "tokenizer/grapheme.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

constexpr size_t kMaxWholeClusterBytes = 5;
constexpr size_t kMaxTableBytes = size_t{16} << 20;  // published tables have 0.25 MB

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::string decode_base64(JsonValue value) {
  std::string_view text = value.as_string();
  if (text.size() > kMaxTableBytes) value.fail("is larger than 16 MiB");
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_value(c);
    if (digit < 0) value.fail("is not base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  return bytes;
}

uint32_t read_word(const std::string& bytes, size_t at) {
  uint32_t word = 0;
  for (size_t i = 0; i < 4; i++)
    word |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << 8 * i;
  return word;
}

// The fields of a unit of a Darts double array.
bool has_leaf(uint32_t unit) {
  return unit >> 8 & 1;
}
uint32_t leaf_value(uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
uint32_t label(uint32_t unit) {
  return unit & (1u << 31 | 0xFF);
}
uint32_t offset(uint32_t unit) {
  return unit >> 10 << ((unit & 1u << 9) >> 6);
}

}  // namespace

Precompiled::Precompiled(JsonValue block) {
  const JsonValue value = block.at("precompiled_charsmap");
  std::string bytes = decode_base64(value);
  if (bytes.empty()) return;
  const size_t size = bytes.size() < 4 ? SIZE_MAX : read_word(bytes, 0);
  if (size > bytes.size() || size % 4 != 0 || size + 4 > bytes.size()) value.fail("breaks off");
  for (size_t i = 0; i < size; i += 4) units_.push_back(read_word(bytes, 4 + i));
  replacements_ = bytes.substr(4 + size);
  if (!utf8::is_valid(replacements_)) value.fail("holds replacements that are not UTF-8");
}

std::optional<std::string_view> Precompiled::find(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  uint32_t node = offset(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) break;
    node ^= byte;
    if (node >= units_.size()) break;
    const uint32_t unit = units_[node];
    if (label(unit) != byte) break;
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) break;
    const size_t at = leaf_value(units_[node]);
    // Where one begins amid a character, nothing could read on from there.
    if (at >= replacements_.size() || utf8::is_continuation(replacements_[at])) break;
    const size_t end = replacements_.find('\0', at);
    return std::string_view(replacements_).substr(at, end == std::string::npos ? end : end - at);
  }
  return std::nullopt;
}

bool Precompiled::normalize(std::string_view text, std::string& out) const {
  const size_t start = out.size();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = cluster_end(text, begin);
    const std::string_view cluster = text.substr(begin, end - begin);
    begin = end;
    if (cluster.size() <= kMaxWholeClusterBytes) {
      if (const auto replacement = find(cluster)) {
        out += *replacement;
        check_growth(text.size(), out.size() - start);
        continue;
      }
    }
    for (size_t i = 0; i < cluster.size();) {
      const char* next = cluster.data() + i;
      utf8::decode(next);
      const auto size = static_cast<size_t>(next - cluster.data()) - i;
      const std::string_view character = cluster.substr(i, size);
      out += find(character).value_or(character);
      // Not once for each cluster: one may be all of the text.
      check_growth(text.size(), out.size() - start);
      i += size;
    }
  }
  // The library does not tell when it drops what a text begins with.
  return true;
}

}  // namespace enc
