// Metaspace with prepend_scheme "first" behind normalizers: whether a text still begins where it began. The
// ids are those of Hugging Face's tokenizers 0.23.2.
#include "check.h"
#include "enc/tokenizer.h"

namespace enc::test {
namespace {

struct Case {
  const char* text;
  std::vector<int32_t> ids;
};

/// "▁", "a", "b" and "x" are 1 to 4, everything else 0.
void check_ids(const std::string& normalizer, const std::vector<Case>& cases) {
  const auto tokenizer = Tokenizer::from_json(
      "{\"added_tokens\":[],\"normalizer\":" + normalizer +
      ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\","
      "\"split\":"
      "true},\"post_processor\":null,\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"[UNK]\","
      "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":"
      "false,\"ignore_merges\":false,\"vocab\":{\"[UNK]\":0,\"▁\":1,\"a\":2,\"b\":3,\"x\":4},\"merges\":[]}"
      "}");
  for (const Case& c : cases) {
    Encoding out;
    tokenizer->encode(c.text, std::nullopt, {}, out);
    if (out.ids != c.ids) std::fprintf(stderr, "%s: \"%s\"\n", normalizer.c_str(), c.text);
    CHECK(out.ids == c.ids);
  }
}

TEST(metaspace_prepends_to_a_text_that_keeps_its_beginning) {
  const std::string strip = "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}";
  const std::string bert =
      "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,"
      "\"lowercase\":true}";
  const auto replace = [](const char* pattern, const char* content) {
    return std::string("{\"type\":\"Replace\",\"pattern\":{\"String\":\"") + pattern + "\"},\"content\":\"" +
           content + "\"}";
  };
  const auto sequence = [](const std::string& first, const std::string& second) {
    return "{\"type\":\"Sequence\",\"normalizers\":[" + first + "," + second + "]}";
  };
  check_ids("null", {{"ab", {1, 2, 3}}, {" ab", {1, 2, 3}}, {"", {}}});
  check_ids(strip, {{"ab", {1, 2, 3}}, {" ab", {2, 3}}, {"  ab", {2, 3}}, {"ab ", {1, 2, 3}}, {" ", {}}});
  check_ids("{\"type\":\"StripAccents\"}",
            {{"\u0301ab", {2, 3}}, {"\u0344a", {2}}, {"ab\u0301", {1, 2, 3}}, {"\u00e1b", {1, 0, 3}}});
  check_ids("{\"type\":\"Nmt\"}", {{"\x01"
                                    "ab",
                                    {2, 3}},
                                   {"ab", {1, 2, 3}},
                                   {"\u200b"
                                    "ab",
                                    {1, 2, 3}}});
  check_ids(bert, {{"\u0301ab", {2, 3}},
                   {"\u0344a", {2}},
                   {"\x01"
                    "ab",
                    {2, 3}},
                   {" ab", {1, 2, 3}},
                   {"\u00e1b", {1, 2, 3}},
                   {"\u4e2da", {1, 0, 1, 2}}});
  check_ids(replace("``", "x"), {{"``ab", {4, 2, 3}}, {"`ab", {1, 0, 2, 3}}, {"a``", {1, 2, 4}}});
  check_ids(replace("`", "x"), {{"`ab", {1, 4, 2, 3}}, {"``ab", {1, 4, 4, 2, 3}}});
  check_ids(replace("`", ""), {{"`ab", {2, 3}}, {"a`b", {1, 2, 3}}});
  check_ids(sequence("{\"type\":\"Lowercase\"}", strip), {{" Ab", {2, 3}}, {"Ab", {1, 2, 3}}});
  check_ids(sequence(strip, "{\"type\":\"Lowercase\"}"), {{" Ab", {2, 3}}, {"Ab", {1, 2, 3}}});
  check_ids(sequence("{\"type\":\"NFKD\"}", "{\"type\":\"StripAccents\"}"),
            {{"\u00e1b", {1, 2, 3}}, {"\u0301ab", {2, 3}}});
  check_ids("{\"type\":\"Prepend\",\"prepend\":\"x\"}", {{"ab", {1, 4, 2, 3}}, {" ab", {1, 4, 1, 2, 3}}});
}

}  // namespace
}  // namespace enc::test
