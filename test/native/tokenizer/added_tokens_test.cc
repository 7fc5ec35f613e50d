// Added tokens with all their flags (lstrip, rstrip, single_word, normalized, special), against Hugging
// Face's ids.
#include <cstdio>

#include "check.h"
#include "enc/error.h"
#include "fixtures.h"

namespace enc::test {
namespace {

TEST(added_tokens_of_all_kinds) {
  const auto tokenizer = Tokenizer::from_json(read_fixture("added-tokens.json"));
  size_t num_with_special = 0;
  const auto table = read_table("added-tokens.tsv");
  for (const auto& row : table) {
    const std::string text = unescape(row[0]);
    const auto parsed = ids_of(*tokenizer, text, SpecialTokens::kParse);
    const auto as_text = ids_of(*tokenizer, text, SpecialTokens::kText);
    const bool same = join(parsed) == row[1] && join(as_text) == row[2];
    if (!same)
      std::fprintf(stderr, "%s\n  parsed  %s\n  wanted  %s\n  as text %s\n  wanted  %s\n", row[0].c_str(),
                   join(parsed).c_str(), row[1].c_str(), join(as_text).c_str(), row[2].c_str());
    CHECK(same);
    if (row[3] == "1") {
      CHECK_THROWS_CODE(ids_of(*tokenizer, text, SpecialTokens::kError), ErrorCode::input_invalid);
      num_with_special++;
    } else {
      CHECK(ids_of(*tokenizer, text, SpecialTokens::kError) == parsed);
    }
  }
  CHECK(table.size() >= 1000);
  CHECK(num_with_special >= 300);
}

}  // namespace
}  // namespace enc::test
