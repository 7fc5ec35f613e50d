#include "tokenizer/byte_level.h"

#include <array>

#include "tokenizer/split.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

struct ByteCharacter {
  char bytes[2];
  unsigned char size;
};

/// GPT-2's table: '!'..'~', U+00A1..U+00AC and U+00AE..U+00FF stand for themselves, the other bytes, in
/// order, for U+0100, U+0101, ...
std::array<ByteCharacter, 256> make_table() {
  std::array<ByteCharacter, 256> table{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; byte++) {
    const bool itself = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    std::string character;
    utf8::append(character, itself ? byte : next++);
    table[byte].size = static_cast<unsigned char>(character.size());
    character.copy(table[byte].bytes, sizeof table[byte].bytes);
  }
  return table;
}

const std::array<ByteCharacter, 256> kTable = make_table();

/// The byte of each character below U+0200, -1 for none.
std::array<int16_t, 0x200> make_inverse() {
  std::array<int16_t, 0x200> inverse;
  inverse.fill(-1);
  for (size_t byte = 0; byte < 256; byte++) {
    const char* p = kTable[byte].bytes;
    inverse[utf8::decode(p)] = static_cast<int16_t>(byte);
  }
  return inverse;
}

const std::array<int16_t, 0x200> kInverse = make_inverse();

}  // namespace

void append_byte_characters(std::string_view bytes, std::string& out) {
  const size_t start = out.size();
  out.resize(start + 2 * bytes.size());
  char* to = out.data() + start;
  for (const char byte : bytes) {
    const ByteCharacter& character = kTable[static_cast<unsigned char>(byte)];
    to[0] = character.bytes[0];
    to[1] = character.bytes[1];
    to += character.size;
  }
  out.resize(static_cast<size_t>(to - out.data()));
}

bool read_byte_characters(std::string_view characters, std::string& bytes) {
  bytes.clear();
  for (const char *p = characters.data(), *end = p + characters.size(); p != end;) {
    const char32_t c = utf8::decode(p);
    if (c >= kInverse.size() || kInverse[c] < 0) return false;
    bytes.push_back(static_cast<char>(kInverse[c]));
  }
  return true;
}

ByteLevel::ByteLevel(JsonValue block) : add_prefix_space_(block.at("add_prefix_space").as_bool()) {
  const auto use_regex = block.find("use_regex");
  if (!use_regex || use_regex->as_bool()) pattern_ = make_gpt2_words();
}

void ByteLevel::split(Words& words) const {
  std::string& text = words.next_text;
  if (add_prefix_space_) {
    text.clear();
    words.next_spans.clear();
    for (const Span& span : words.spans) {
      const auto begin = static_cast<uint32_t>(text.size());
      if (words.text[span.begin] != ' ') text += ' ';
      text += words[span];
      words.next_spans.push_back({begin, static_cast<uint32_t>(text.size())});
    }
    words.text.swap(text);
    words.spans.swap(words.next_spans);
  }
  if (pattern_) split_words(*pattern_, MatchBehavior::kIsolated, false, words);
  text.clear();
  for (Span& span : words.spans) {
    const auto begin = static_cast<uint32_t>(text.size());
    append_byte_characters(words[span], text);
    span = {begin, static_cast<uint32_t>(text.size())};
  }
  words.text.swap(text);
}

}  // namespace enc
