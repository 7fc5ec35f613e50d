// BPE over a vocabulary of subword-nmt, beyond what test/subword-tokenizers.test.ts compares with
// transformers.
#include "check.h"
#include "enc/error.h"
#include "fixtures.h"

namespace enc::test {
namespace {

std::string json_of(const std::string& model) {
  return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,)"
         R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"[^\\s\\x1c-\\x1f]+\\n?"},)"
         R"("behavior":"Removed","invert":true},"post_processor":null,"decoder":null,"model":{)" +
         model + "}}";
}

/// "ab" is made on the way to "abc" and no token; "b@@" is none either, nor what "xy" merges to.
const std::string kModel =
    R"("type":"BPE","unk_token":"<unk>","end_of_word_suffix":"</w>","continuing_subword_suffix":"@@",)"
    R"("vocab":{"<unk>":0,"a@@":1,"abc":2,"c":3,"b":4,"x@@":5,"y":6},)"
    R"("merges":[["a","b"],["ab","c</w>"],["x","y</w>"]])";

std::vector<int32_t> ids_of(std::string_view text, const std::string& model = kModel) {
  Encoding out;
  Tokenizer::from_json(json_of(model))->encode(text, std::nullopt, {}, out);
  return out.ids;
}

TEST(subword_merges_through_what_is_no_token) {
  CHECK(ids_of("abc") == (std::vector<int32_t>{2}));
  CHECK(ids_of("ab") == (std::vector<int32_t>{1, 4}));  // the last b ends its word and merges with nothing
  CHECK(ids_of("abab") == (std::vector<int32_t>{0, 1, 4}));
  CHECK(ids_of("c a b") == (std::vector<int32_t>{3, 0, 4}));  // no token "a"
}

TEST(subword_is_unknown_where_it_is_no_token) {
  CHECK(ids_of("xy") == (std::vector<int32_t>{0}));
  CHECK(ids_of("qq c") == (std::vector<int32_t>{0, 0, 3}));
  CHECK(ids_of("c\nc") == (std::vector<int32_t>{0, 0, 3}));  // the line break ends the word
  CHECK(ids_of("c \nc\x1f") == (std::vector<int32_t>{3, 3}));
  CHECK(ids_of("").empty());
}

TEST(subword_model_is_refused_without_its_parts) {
  const auto malformed = ErrorCode::checkpoint_malformed;
  const auto without = [](std::string_view part) { return json_of(replaced(kModel, part, "")); };
  CHECK_THROWS_CODE(Tokenizer::from_json(without(R"("unk_token":"<unk>",)")), malformed);
  CHECK_THROWS_CODE(Tokenizer::from_json(without(R"("end_of_word_suffix":"</w>",)")), malformed);
  // Without the suffix every symbol must be a token.
  CHECK_THROWS_CODE(Tokenizer::from_json(without(R"("continuing_subword_suffix":"@@",)")), malformed);
  const std::string number = replaced(kModel, R"("@@")", "2");
  CHECK_THROWS_CODE(Tokenizer::from_json(json_of(number)), malformed);
}

}  // namespace
}  // namespace enc::test
