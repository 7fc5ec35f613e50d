// BERTweet's normalizer against the committed texts of scripts/make-subword-fixtures.py.
#include <cstdio>
#include <string>

#include "check.h"
#include "enc/error.h"
#include "fixtures.h"
#include "tokenizer/stages.h"

namespace enc::test {
namespace {

std::unique_ptr<const Normalizer> read_normalizer(const std::string& json) {
  return make_normalizer(JsonDocument(json).root());
}

std::string normalized(const Normalizer& normalizer, std::string_view text) {
  std::string out;
  normalizer.normalize(text, out);
  return out;
}

std::unique_ptr<const Normalizer> small_normalizer() {
  return read_normalizer(R"({"type":"TweetNormalizer","emoji":{"*":":star:"},"entities":{"amp":38}})");
}

TEST(tweets_are_normalized_as_in_transformers) {
  const auto normalizer = read_normalizer(read_fixture("tweets/normalizer.json"));
  const auto table = read_table("tweets/texts.tsv");
  CHECK(table.size() > 700);
  for (const auto& row : table) {
    const std::string found = normalized(*normalizer, unescape(row[0]));
    const std::string wanted = row.size() > 1 ? unescape(row[1]) : "";
    if (found != wanted)
      std::fprintf(stderr, "of %s\n  %s\n  %s\n", row[0].c_str(), found.c_str(), wanted.c_str());
    CHECK(found == wanted);
  }
}

std::string repeated(std::string_view part, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; i++) text += part;
  return text;
}

/// Of these each prefix is what transformers makes of 20 pieces.
TEST(tweets_with_paths_of_many_ways) {
  const auto normalizer = small_normalizer();
  const auto begins = [&](const std::string& text, std::string_view wanted) {
    const std::string found = normalized(*normalizer, text).substr(0, wanted.size());
    if (found != wanted) std::fprintf(stderr, "of %.20s: %s\n", text.c_str(), found.c_str());
    return found == wanted;
  };
  const size_t many = 20000;
  CHECK(begins("http://a(b)" + repeated(".)", many), "HTTPURL . ) . )"));
  CHECK(begins("http://a(b" + repeated("[)]", many), "HTTPURL ] [ ) ] [ )"));
  CHECK(begins("http:/" + repeated(".,", many), "HTTPURL :/ . , . , . ,"));
  CHECK(begins("http://a(((b" + repeated("(c", many), "HTTPURL ( ( ( b ( c ( c"));
  CHECK(begins(repeated("http:/a(x)]", many), "HTTPURL ] HTTPURL ]"));
  CHECK(begins(repeated("-.", many) + "com/" + repeated(".,", many), "- . - . - ."));
  CHECK(normalized(*normalizer, "http://a" + repeated(".,", many) + "a") == "HTTPURL");
  CHECK(normalized(*normalizer, "http://a" + repeated("(b)", many) + "(c") == "HTTPURL ( c");
  CHECK(normalized(*normalizer, "http://a" + repeated("(b(c)d)", many) + ".") == "HTTPURL ) .");
}

TEST(tweet_normalizer_is_refused_without_its_tables) {
  const auto malformed = ErrorCode::checkpoint_malformed;
  for (const char* json : {
           R"({"type":"TweetNormalizer","emoji":{}})",
           R"({"type":"TweetNormalizer","entities":{}})",
           R"({"type":"TweetNormalizer","emoji":{"":"a"},"entities":{}})",
           R"({"type":"TweetNormalizer","emoji":{"ab":"a"},"entities":{}})",
           R"({"type":"TweetNormalizer","emoji":{"a":1},"entities":{}})",
           R"({"type":"TweetNormalizer","emoji":{"a":"b","a":"b"},"entities":{}})",
           R"({"type":"TweetNormalizer","emoji":{},"entities":{"a":1,"a":1}})",
           R"({"type":"TweetNormalizer","emoji":{},"entities":{"a":1114112}})",
           R"({"type":"TweetNormalizer","emoji":{},"entities":{"a":-1}})",
       })
    CHECK_THROWS_CODE(read_normalizer(json), malformed);
  const std::string long_name(65, 'a');
  CHECK_THROWS_CODE(
      read_normalizer(R"({"type":"TweetNormalizer","emoji":{"a":")" + long_name + R"("},"entities":{}})"),
      malformed);
}

TEST(tweet_normalizer_bounds_what_names_make_of_a_text) {
  const std::string name(64, 'a');
  const auto normalizer = read_normalizer(R"({"type":"TweetNormalizer","emoji":{"*":")" + name +
                                          R"(",";":")" + name + R"("},"entities":{}})");
  CHECK(normalized(*normalizer, "*; *") == name + " " + name + " " + name);
  CHECK_THROWS_CODE(normalized(*normalizer, repeated("*;", 50000)), ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace enc::test
