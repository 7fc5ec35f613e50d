// tokenizer.json comes from strangers: whatever is wrong with it is an error with a code, and never a crash.
#include <cstring>

#include "check.h"
#include "enc/error.h"
#include "fixtures.h"
#include "tokenizer/precompiled.h"

namespace enc::test {
namespace {

/// The small tokenizer with one part replaced, which must be refused with `code`.
void refused(std::string_view from, std::string_view to, ErrorCode code) {
  const std::string json = replaced(small_tokenizer_json(), from, to);
  CHECK_THROWS_CODE(Tokenizer::from_json(json), code);
}

TEST(malformed_json) {
  for (const char* json : {"", " ", "{", "[]", "null", "1", "\"\"", "{}", "{\"version\": \"1.0\"}",
                           "{\"a\": 1,}", "\xFF", "{\"\xC3\": 1}", "{\"a\": \"\\ud800\"}", "nul"})
    CHECK_THROWS_CODE(Tokenizer::from_json(json), ErrorCode::checkpoint_malformed);
  CHECK_THROWS_CODE(Tokenizer::from_json(std::string_view("\0\0\0", 3)), ErrorCode::checkpoint_malformed);
}

TEST(malformed_at_every_cut) {
  const std::string json = small_tokenizer_json();
  for (size_t size = 0; size < json.size(); size++)
    CHECK_THROWS_CODE(Tokenizer::from_json(json.substr(0, size)), ErrorCode::checkpoint_malformed);
}

/// Every byte replaced by others: the file is refused or taken, and what was taken can be used.
TEST(malformed_bytes) {
  const std::string json = small_tokenizer_json();
  size_t num_taken = 0, num_refused = 0;
  for (size_t i = 0; i < json.size(); i++) {
    for (const char byte : {'0', '"', '}', ',', 'x', '\xE2', '-', '['}) {
      std::string changed = json;
      changed[i] = byte;
      try {
        const auto tokenizer = Tokenizer::from_json(changed);
        Encoding out;
        tokenizer->encode("one twos [SEP] extra a.", "two", {}, out);
        CHECK(out.ids.size() == out.type_ids.size());
        for (const int32_t id : out.ids) CHECK(id >= 0 && static_cast<size_t>(id) < tokenizer->vocab_size());
        num_taken++;
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::checkpoint_malformed ||
              error.code() == ErrorCode::tokenizer_unsupported);
        num_refused++;
      }
    }
  }
  CHECK(num_taken > 1000);
  CHECK(num_refused > 1000);
}

TEST(malformed_limits) {
  const std::string deep(100000, '[');
  CHECK_THROWS_CODE(Tokenizer::from_json(deep), ErrorCode::limit_exceeded);
  const std::string nested = "{\"version\": " + std::string(70, '[') + std::string(70, ']') + "}";
  CHECK_THROWS_CODE(Tokenizer::from_json(nested), ErrorCode::limit_exceeded);
  std::string many = "[0";
  for (int i = 0; i < (8 << 20); i++) many += ",0";
  CHECK_THROWS_CODE(Tokenizer::from_json(many + "]"), ErrorCode::limit_exceeded);
  CHECK_THROWS_CODE(Tokenizer::from_json(std::string((128 << 20) + 1, ' ')), ErrorCode::limit_exceeded);
  refused("\"content\": \"extra\"", "\"content\": \"" + std::string(300, 'e') + "\"",
          ErrorCode::checkpoint_malformed);
  refused("\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": 100000",
          ErrorCode::checkpoint_malformed);
  for (const char* delimiter : {"", "ab", "\u00e9e"})
    refused("\"type\": \"BertPreTokenizer\"",
            "\"type\": \"CharDelimiterSplit\", \"delimiter\": \"" + std::string(delimiter) + "\"",
            ErrorCode::checkpoint_malformed);
}

TEST(malformed_components_unknown) {
  const auto unsupported = ErrorCode::tokenizer_unsupported;
  refused("\"type\": \"BertNormalizer\"", "\"type\": \"Unknown\"", unsupported);
  refused("\"type\": \"BertPreTokenizer\"", "\"type\": \"UnicodeScripts\"", unsupported);
  refused("\"type\": \"BertPreTokenizer\"",
          "\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a+)+\"}, \"behavior\": \"Isolated\", \"invert\": "
          "false",
          unsupported);
  refused("{\"type\": \"BertPreTokenizer\"}",
          "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"FixedLength\"}]}", unsupported);
  refused("\"type\": \"TemplateProcessing\"", "\"type\": \"Unknown\"", unsupported);
  refused("\"type\": \"WordPiece\", \"unk_token\"", "\"type\": \"WordLevel\", \"unk_token\"", unsupported);
  refused("\"type\": \"WordPiece\", \"unk_token\"",
          "\"type\": \"BPE\", \"merges\": [], \"dropout\": 0.1, \"unk_token\"", unsupported);
  refused("\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\"",
          "\"unk_token\": \"[UNK]\"", unsupported);
  refused("\"version\": \"1.0\"", "\"version\": \"2.0\"", unsupported);
}

TEST(malformed_error_names_the_component) {
  try {
    Tokenizer::from_json(replaced(small_tokenizer_json(), "\"BertNormalizer\"", "\"Unheard\""));
    CHECK(false);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("normalizer Unheard") != std::string::npos);
  }
  try {
    Tokenizer::from_json(replaced(small_tokenizer_json(), "\"id\": 9", "\"id\": true"));
    CHECK(false);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("added_tokens[2].id must be an integer") != std::string::npos);
  }
}

TEST(malformed_model) {
  const auto malformed = ErrorCode::checkpoint_malformed;
  refused("\"one\": 3", "\"one\": -3", malformed);
  refused("\"one\": 3", "\"one\": 2147483647", malformed);
  refused("\"one\": 3", "\"one\": 99999999999999999999", malformed);
  refused("\"one\": 3", "\"one\": 3.5", malformed);
  refused("\"one\": 3", "\"one\": \"3\"", malformed);
  refused("\"one\": 3", "\"two\": 3", malformed);
  refused("\"[UNK]\": 0, ", "", malformed);
  refused("\"unk_token\": \"[UNK]\", ", "", malformed);
  refused("\"unk_token\": \"[UNK]\"", "\"unk_token\": null", malformed);
  refused("\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": -1", malformed);
  refused("\"vocab\": {", "\"vocab\": [], \"other\": {", malformed);
  refused("\"vocab\": {", "\"vocab\": {}, \"vocab\": {", malformed);
  refused("\"lowercase\": true", "\"lowercase\": 1", malformed);
  refused(", \"lowercase\": true", "", malformed);
  refused("\"strip_accents\": null", "\"strip_accents\": \"no\"", malformed);
}

TEST(malformed_added_tokens) {
  const auto malformed = ErrorCode::checkpoint_malformed;
  refused("\"id\": 9", "\"id\": 10", malformed);
  refused("\"id\": 2, \"content\"", "\"id\": 3, \"content\"", malformed);
  refused("\"content\": \"extra\"", "\"content\": \"[SEP]\"", malformed);
  refused("\"content\": \"extra\"", "\"content\": \"\\u0301\"", malformed);
  refused("\"content\": \"extra\"", "\"content\": 1", malformed);
  refused("\"content\": \"extra\", \"single_word\": true", "\"content\": \"extra\"", malformed);
  refused("\"added_tokens\": [", "\"added_tokens\": {}, \"other\": [", malformed);
}

TEST(malformed_template) {
  const auto malformed = ErrorCode::checkpoint_malformed;
  refused("\"special_tokens\": {\"[CLS]\"", "\"special_tokens\": {\"[XXX]\"", malformed);
  refused("\"ids\": [1]", "\"ids\": [-1]", malformed);
  refused("\"ids\": [1]", "\"ids\": [4294967296]", malformed);
  refused("\"ids\": [1]", "\"ids\": 1", malformed);
  refused("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}",
          "{\"Sequence\": {\"id\": \"A\", \"type_id\": 1}}", malformed);
  refused("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}",
          "{\"Sequence\": {\"id\": \"C\", \"type_id\": 1}}", malformed);
  refused("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}", "{\"Other\": {\"id\": \"B\", \"type_id\": 1}}",
          malformed);
  refused("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}",
          "{\"Sequence\": {\"id\": \"B\", \"type_id\": 1000}}", malformed);
  refused("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}, ", "", malformed);
  refused(
      "\"ids\": [1]",
      "\"ids\": [1" +
          [] {
            std::string ids;
            for (int i = 0; i < 100; i++) ids += ",1";
            return ids;
          }() +
          "]",
      malformed);
  std::string named;
  for (int i = 0; i < 5000; i++) named += "\"" + std::to_string(i) + "\": {}, ";
  refused("\"special_tokens\": {", "\"special_tokens\": {" + named, malformed);
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  const auto put = [&](int left) {
    text.push_back(kDigits[(left >= 0 ? bits >> left : bits << -left) & 63]);
  };
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) put(count - 6);
  }
  if (count > 0) put(count - 6);
  return text;
}

/// `count` times `stage`, with commas.
std::string repeated(const std::string& stage, int count) {
  std::string list = stage;
  for (int i = 1; i < count; i++) list += ", " + stage;
  return list;
}

/// Each of them passes over all of a text, however many there are.
TEST(malformed_stages_too_many) {
  const std::string bert =
      R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true})";
  const std::string lower = R"({"type": "Lowercase"})", white = R"({"type": "WhitespaceSplit"})";
  const auto sequence = [](const char* list, const std::string& stage, int count) {
    return R"({"type": "Sequence", ")" + std::string(list) + "\": [" + repeated(stage, count) + "]}";
  };
  // The sequence itself is one too.
  const auto most =
      Tokenizer::from_json(replaced(small_tokenizer_json(), bert, sequence("normalizers", lower, 63)));
  CHECK(join(ids_of(*most, "ONE")) == "1 3 2");
  refused(bert, sequence("normalizers", lower, 64), ErrorCode::checkpoint_malformed);
  refused(bert, sequence("normalizers", sequence("normalizers", lower, 8), 8),
          ErrorCode::checkpoint_malformed);
  refused(R"({"type": "BertPreTokenizer"})", sequence("pretokenizers", white, 64),
          ErrorCode::checkpoint_malformed);
}

/// A charsmap that puts the bytes of `replacements` from `at` on, up to NUL, in the place of `byte`.
std::string charsmap(unsigned char byte, const std::string& replacements, uint32_t at) {
  std::string table(4 * 512, '\0');
  const auto put = [&](uint32_t index, uint32_t unit) { std::memcpy(&table[4 * index], &unit, 4); };
  const uint32_t root = 256, leaf = 300;
  put(0, root << 10);
  put(root ^ byte, (root ^ byte ^ leaf) << 10 | 1 << 8 | byte);
  put(leaf, 1u << 31 | at);
  const auto size = static_cast<uint32_t>(table.size());
  return base64(std::string(reinterpret_cast<const char*>(&size), 4) + table + replacements);
}

/// Where the characters that stand for `a` begin amid one, it stays as it is.
TEST(malformed_replacements_amid_a_character) {
  const auto tokenizer = [](uint32_t at) {
    return Tokenizer::from_json(replaced(
        small_tokenizer_json(),
        R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true})",
        R"({"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": ")" +
            charsmap('a', std::string("\xC3\xA9\0", 3), at) +
            R"("}, {"type": "Strip", "strip_left": false, "strip_right": true}]})"));
  };
  CHECK(join(ids_of(*tokenizer(0), "a")) == "1 0 2");
  CHECK(join(ids_of(*tokenizer(1), "a")) == "1 6 2");
}

/// Also where all of a text is one cluster: a letter and marks of which each is replaced.
TEST(malformed_replacements_that_grow) {
  const JsonDocument document(R"({"precompiled_charsmap": ")" +
                              charsmap(0xCC, std::string(40000, 'b') + '\0', 0) + "\"}");
  const Precompiled normalizer(document.root());
  const std::string mark = "\xCC\x81";
  std::string out;
  CHECK(normalizer.normalize(mark, out) && out.size() == 40000);
  CHECK_THROWS_CODE(normalizer.normalize("e" + mark + mark + mark, out), ErrorCode::limit_exceeded);
}

/// Stages that multiply a text: six of the first make 64 GiB of one letter, thirty of the second 2 GiB.
TEST(malformed_stages_that_grow) {
  const std::string letters(64, 'a');
  const std::string replace =
      R"({"type": "Replace", "pattern": {"String": "a"}, "content": ")" + letters + R"("})";
  const auto normalized = [&](int count) {
    return replaced(
        small_tokenizer_json(),
        R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true})",
        R"({"type": "Sequence", "normalizers": [)" + repeated(replace, count) + "]}");
  };
  CHECK(ids_of(*Tokenizer::from_json(normalized(1)), "a").size() == 66);
  // The added token "extra" has the letter too and is normalized as the file is read.
  CHECK_THROWS_CODE(Tokenizer::from_json(normalized(6)), ErrorCode::limit_exceeded);
  const auto grows =
      Tokenizer::from_json(replaced(normalized(6), "\"normalized\": true", "\"normalized\": false"));
  CHECK(ids_of(*grows, "one").size() == 3);
  CHECK_THROWS_CODE(ids_of(*grows, "a"), ErrorCode::limit_exceeded);

  const std::string bytes =
      R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false})";
  const auto doubles = Tokenizer::from_json(
      replaced(small_tokenizer_json(), R"({"type": "BertPreTokenizer"})",
               R"({"type": "Sequence", "pretokenizers": [)" + repeated(bytes, 30) + "]}"));
  CHECK(ids_of(*doubles, "one").size() == 3);
  CHECK_THROWS_CODE(ids_of(*doubles, "\xE6\x97\xA5"), ErrorCode::limit_exceeded);
}

/// Files from before the model's "type" was written are told by their fields.
TEST(malformed_not_when_old) {
  const auto tokenizer = Tokenizer::from_json(
      replaced(small_tokenizer_json(), "\"type\": \"WordPiece\", \"unk_token\"", "\"unk_token\""));
  CHECK(join(ids_of(*tokenizer, "one twos.")) == "1 3 4 5 8 2");
}

}  // namespace
}  // namespace enc::test
