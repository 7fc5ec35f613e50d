// URLs, domains and e-mail addresses in a tweet.
#pragma once

#include <cstddef>
#include <string_view>

namespace enc::tweet {

constexpr size_t kNone = std::string_view::npos;

/// Each function below says where what begins at byte `at` of the text ends, or kNone. What a search found of
/// the text ahead is kept, so that asking at each place from the first to the last takes linear time in all.
/// Characters are those of UTF-8, and surrogates in the same form.
class Addresses {
 public:
  explicit Addresses(std::string_view text) : text_(text) {}

  /// A scheme, or a domain and a slash, and a path.
  size_t url(size_t at);
  /// A domain without scheme and path, not between signs of an e-mail address.
  size_t domain(size_t at);
  size_t email(size_t at);

 private:
  /// The last run of a class of characters that was looked at: none of its places has to look for the end.
  struct Run {
    size_t begin = 1;
    size_t end = 0;
    bool holds(size_t at) const { return begin <= at && at < end; }
  };
  /// The answer for all places of a range, both ends included.
  struct Answer {
    size_t begin = 1;
    size_t end = 0;
    size_t found = kNone;
    bool holds(size_t at) const { return begin <= at && at <= end; }
  };

  char32_t read(size_t at, size_t& next) const;
  bool is_at(size_t at, char c) const { return at < text_.size() && text_[at] == c; }
  template <typename Class>
  size_t run_end(size_t at, Class contains) const;
  bool is_domain_letter_run(size_t begin, size_t end) const;

  size_t scheme_end(size_t at) const;
  void read_host(size_t at);
  void read_domain(size_t at);

  size_t path(size_t at);
  size_t rest(size_t at);
  bool has_rest(size_t at);
  size_t nested(size_t at) const;
  size_t least_close(size_t at) const;
  size_t close(size_t at);
  size_t close_with_rest(size_t at);
  size_t behind_run(size_t at, size_t& run_end) const;

  const std::string_view text_;
  Run host_;                    // [a-z0-9.\-]+
  size_t host_dot_ = kNone;     // before its last part, where a slash follows
  size_t host_url_ = kNone;     // where the path behind the slash ends
  Run chain_;                   // parts of [a-z0-9]+ with '.' or '-' between them
  size_t chain_dot_ = kNone;    // before the last part that can end a domain
  size_t chain_end_ = kNone;    // where the domain ends then
  Run local_;                   // [\w.+-]+
  size_t local_email_ = kNone;  // where the address that it begins ends
  Answer close_;                // the next ')' before white space
  Answer close_with_rest_;      // likewise, of those that the rest of a URL may follow
};

}  // namespace enc::tweet
