// The words of a tweet, as NLTK's TweetTokenizer finds them with one regular expression: addresses, phone
// numbers, emoticons, tags, arrows, names, words and numbers, and each other character by itself.
#pragma once

#include <cstddef>
#include <string_view>

#include "tokenizer/tweet_addresses.h"

namespace enc::tweet {

class Words {
 public:
  /// `text`: UTF-8, with surrogates in the same form. It must outlive this.
  explicit Words(std::string_view text) : text_(text), addresses_(text) {}

  /// The next word, empty behind the last. All of them together take time in proportion to the text.
  std::string_view next();

 private:
  /// A place of the text; reading moves it on.
  class Cursor;

  size_t word_end(size_t at);
  size_t phone_number(size_t at) const;
  size_t emoticon(size_t at) const;
  size_t tag(size_t at);
  size_t arrow(size_t at) const;
  size_t name(size_t at) const;
  size_t hashtag(size_t at) const;
  size_t compound(size_t at) const;
  size_t number(size_t at) const;
  size_t ellipsis(size_t at) const;

  const std::string_view text_;
  Addresses addresses_;
  size_t at_ = 0;
  // From the first to the second of these no '>' or white space stands, but there, unless the text ends.
  size_t tag_begin_ = 1;
  size_t tag_end_ = 0;
};

}  // namespace enc::tweet
