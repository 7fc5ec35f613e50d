// Where control tokens and segment numbers stand, for each kind of post-processor.
#include "check.h"
#include "fixtures.h"

namespace enc::test {
namespace {

Encoding encode(const Tokenizer& tokenizer, std::string_view text, std::optional<std::string_view> pair) {
  Encoding out;
  tokenizer.encode(text, pair, {}, out);
  return out;
}

void check(const Encoding& out, const char* ids, const char* type_ids) {
  CHECK(join(out.ids) == ids);
  CHECK(join(out.type_ids) == type_ids);
  CHECK(!out.truncated);
}

/// The small tokenizer with another post-processor.
std::unique_ptr<const Tokenizer> with_processor(std::string_view block) {
  std::string json = small_tokenizer_json();
  const size_t start = json.find(R"({"type": "TemplateProcessing")");
  const size_t end = json.find(R"("decoder")");
  return Tokenizer::from_json(json.replace(start, json.rfind(',', end) - start, block));
}

TEST(template_processing) {
  const auto tokenizer = Tokenizer::from_json(small_tokenizer_json());
  CHECK(tokenizer->num_special_tokens(false) == 2);
  CHECK(tokenizer->num_special_tokens(true) == 3);
  check(encode(*tokenizer, "one twos", std::nullopt), "1 3 4 5 2", "0 0 0 0 0");
  check(encode(*tokenizer, "one", "two a"), "1 3 2 4 6 2", "0 0 0 1 1 1");
  check(encode(*tokenizer, "one", ""), "1 3 2 2", "0 0 0 1");
  check(encode(*tokenizer, "", ""), "1 2 2", "0 0 1");
  check(encode(*tokenizer, "", std::nullopt), "1 2", "0 0");
}

TEST(template_bert_processing) {
  const auto tokenizer =
      with_processor(R"({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]})");
  CHECK(tokenizer->num_special_tokens(false) == 2);
  CHECK(tokenizer->num_special_tokens(true) == 3);
  check(encode(*tokenizer, "one twos", std::nullopt), "1 3 4 5 2", "0 0 0 0 0");
  check(encode(*tokenizer, "one", "two a"), "1 3 2 4 6 2", "0 0 0 1 1 1");
}

TEST(template_none) {
  const auto tokenizer = with_processor("null");
  CHECK(tokenizer->num_special_tokens(true) == 0);
  check(encode(*tokenizer, "one", std::nullopt), "3", "0");
  check(encode(*tokenizer, "one", "two a"), "3 4 6", "0 1 1");
  check(encode(*tokenizer, "", std::nullopt), "", "");
}

/// Several ids for one control token, the second text first, segment numbers of their own, and an id of no
/// vocabulary.
TEST(template_unusual) {
  const auto tokenizer = with_processor(R"({"type": "TemplateProcessing",
    "single": [{"Sequence": {"id": "A", "type_id": 2}}, {"SpecialToken": {"id": "end", "type_id": 1}}],
    "pair": [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "end", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 3}}],
    "special_tokens": {"end": {"id": "end", "ids": [2, 20, 2], "tokens": ["x", "y", "z"]}}})");
  CHECK(tokenizer->num_special_tokens(false) == 3);
  CHECK(tokenizer->vocab_size() == 21);
  check(encode(*tokenizer, "one", std::nullopt), "3 2 20 2", "2 1 1 1");
  check(encode(*tokenizer, "one", "two a"), "4 6 2 20 2 3", "1 1 0 0 0 3");
}

}  // namespace
}  // namespace enc::test
