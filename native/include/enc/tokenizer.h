// Text to token ids, exactly as Hugging Face `tokenizers` does it. Immutable once built and shared by all
// threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace enc {

/// Which text gives way when a pair is too long (or a single text, for kOnlyFirst and kLongestFirst).
enum class TruncationStrategy { kLongestFirst, kOnlyFirst, kOnlySecond };

/// The end at which tokens are dropped.
enum class TruncationSide { kRight, kLeft };

/// What a control token written out in user text ("[SEP]") becomes.
enum class SpecialTokens {
  kText,   ///< ordinary text: user text cannot forge a segment boundary
  kParse,  ///< the control id, as Hugging Face does by default
  kError,  ///< Error(input_invalid)
};

/// Which text is read in windows where it is too long, instead of being cut.
enum class WindowedText { kNone, kFirst, kSecond };

struct EncodeOptions {
  /// Most tokens in the result, special tokens included; at least the number of special tokens plus one.
  size_t max_length = SIZE_MAX;
  /// Most tokens kept of each text, special tokens not counted; applied before `strategy`.
  size_t max_first = SIZE_MAX;
  size_t max_second = SIZE_MAX;
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  TruncationSide side = TruncationSide::kRight;
  SpecialTokens special_tokens = SpecialTokens::kText;
  /// Only for encode_windows(). A text without a pair is windowed whichever of the two this names.
  WindowedText windows = WindowedText::kNone;
  size_t overlap = 0;  ///< tokens that neighbouring windows share; at most half a window is used
  size_t max_windows = SIZE_MAX;
  /// Only for a PairTemplate with a place for it; empty: none. Control tokens in it are the caller's.
  std::string prompt;
  /// For a LabelTemplate, which takes one or more labels, and a ListTemplate, whose documents they are.
  /// Control tokens in them are the caller's.
  std::vector<std::string> labels;
  /// Only for the order of calls: inputs of the same list that came before these, in calls of their own.
  size_t inputs_before = 0;
};

/// What a text with its control tokens written out, such as a chat, is made of. All places are bytes of it.
struct WrittenOut {
  struct Part {
    uint32_t begin, end;
  };
  std::vector<Part> callers;  ///< in order, none empty: a control token there is the caller's
  uint32_t end = 0;           ///< from here on the text stays where it is cut on the right
};

/// A chat template: a pair becomes one text, constant pieces with the caller's texts between them, which is
/// tokenized as a whole but for its breaks.
struct PairTemplate {
  /// kBreak holds no text: what stands before it and what stands behind are tokenized each by itself.
  enum class Slot { kFirst, kSecond, kPrompt, kBreak };
  /// pieces[0] slots[0] pieces[1] ... slots[n - 1] pieces[n]; control tokens in the pieces are meant.
  struct Layout {
    std::vector<std::string> pieces;
    std::vector<Slot> slots;
  };
  Layout plain;
  std::optional<Layout> prompted;  ///< with a prompt; absent: there can be none
  /// An input as long as may be ends in the template's own last tokens, which overwrite what was cut there.
  bool restores_end = true;
  /// The text is one like any other: the post-processor adds its tokens, and what is cut makes room for them.
  /// Never beside restores_end.
  bool adds_special_tokens = false;
};

/// What a model that is told its labels reads: each behind a mark, the separator behind the last, and the
/// text behind or before all of it, tokenized as a whole. Where the whole is too long the text is cut.
struct LabelTemplate {
  std::string mark;
  std::string separator;
  bool labels_first = true;
  /// Mark and separator are added tokens, which no other token reaches across. Else they are text like any
  /// other, before which the labels stand, and a token may hold the end of a label, or the beginning of the
  /// text, and what stands beside it.
  bool marks_are_tokens = true;
  std::string opening;    ///< before the first mark
  std::string label_end;  ///< behind each label
};

/// What a model that ranks lists reads: a query and all its documents as one text, with a mark behind each of
/// them, which is taken out of the texts themselves. Query and documents are cut each by itself.
struct ListTemplate {
  /// kCount is the number of documents; kDocuments stands for all of them.
  enum class Slot { kCount, kQuery, kDocuments, kPrompt };
  /// As that of a PairTemplate.
  struct Layout {
    std::vector<std::string> pieces;
    std::vector<Slot> slots;
  };
  Layout plain;
  std::optional<Layout> prompted;   ///< with a prompt; absent: there can be none
  std::array<std::string, 3> item;  ///< before a document's number, between number and document, behind it
  std::string separator;            ///< between two documents
  std::string document_mark;        ///< the token in `item`, and that behind the query
  std::string query_mark;
  size_t max_query = SIZE_MAX;  ///< most tokens of a text where EncodeOptions have no limit
  size_t max_document = SIZE_MAX;
};

/// What a model for late interaction reads: queries and documents each by itself, behind a prefix, whose
/// control tokens are meant, and cut by themselves.
struct InteractionTemplate {
  struct Side {
    std::string prefix;
    size_t max_length = SIZE_MAX;  ///< most tokens, special ones included, where EncodeOptions have no limit
  };
  Side query, document;
  size_t expansion_length = 0;  ///< shorter queries are as long, by tokens of one kind behind them
  int32_t expansion_id = 0;
  bool expansion_is_seen = false;  ///< by other tokens; else they only see
};

/// What a model makes of its callers' texts; most leave them as they are.
using TextTemplate =
    std::variant<std::monostate, PairTemplate, LabelTemplate, ListTemplate, InteractionTemplate>;

/// Tokens [begin, end).
struct TokenSpan {
  int32_t begin, end;
};

struct Encoding {
  std::vector<int32_t> ids;       ///< [n], template tokens included
  std::vector<int32_t> type_ids;  ///< [n], segment of each token as the template says
  bool truncated = false;         ///< tokens of the text were dropped to fit max_length
  /// With an InteractionTemplate: the first tokens, which are the query and a sequence by themselves, as the
  /// others are, the document. Of the query's so many are seen by others.
  size_t query_tokens = 0;
  size_t query_keys = 0;
  /// With a LabelTemplate whose marks are no tokens: the tokens that hold some of each label, and at last
  /// those that end in the text. Where there are none, the span is empty.
  std::vector<TokenSpan> spans;
};

/// One window of a text: its tokens [begin, end), counted without special tokens, in a sequence of their own.
struct Window {
  Encoding encoding;
  size_t begin = 0;
  size_t end = 0;
};

class Tokenizer {
 public:
  /// Builds from the text of a tokenizer.json, which may say `odd_token_first`: of two texts that are both
  /// cut the first has the odd token. Throws Error(tokenizer_unsupported) naming the component that
  /// is not implemented, Error(checkpoint_malformed) when the JSON or a field is not what it should be.
  /// With a pair template, only pairs can be encoded, and only as a whole: Error(input_invalid) for texts
  /// that stand alone, for windows, and for options that treat the two texts differently. With a label
  /// template, only texts that stand alone: Error(input_too_long) where the labels leave no room for them.
  /// One whose marks are no tokens needs a BPE of bytes, whose tokens are the bytes of the text. With a list
  /// template, which needs a tokenizer of bytes, a text with `labels` is a query with documents, a pair one
  /// with a single document, and a text alone no more than its own tokens; Error(input_too_long) for a list
  /// that is too long: a document that is the only one gives way first. With an interaction template, only
  /// pairs, a query and a document.
  static std::unique_ptr<const Tokenizer> from_json(std::string_view json, TextTemplate texts = {});

  virtual ~Tokenizer() = default;

  /// Encodes `text`, or the pair (`text`, `pair`). Both are UTF-8; invalid bytes count as U+FFFD. An empty
  /// pair is still a pair. Throws Error(input_too_long) when kOnlyFirst or kOnlySecond cannot make room, and
  /// Error(input_invalid) under SpecialTokens::kError or when max_length leaves no room for text, and
  /// Error(limit_exceeded) for a text of more than 256 MiB. Thread-safe; linear in the length of the text.
  virtual void encode(std::string_view text, std::optional<std::string_view> pair,
                      const EncodeOptions& options, Encoding& out) const = 0;

  /// Encodes a text that has its control tokens written out, which are meant but for those of the callers: no
  /// others stand around it. UTF-8 throughout. Throws as encode() does, and Error(input_invalid) for `parts`
  /// that the text does not have. Not for the models of a template.
  virtual void encode_written_out(std::string_view text, const WrittenOut& parts,
                                  const EncodeOptions& options, Encoding& out) const = 0;

  /// As encode(), but the text that `options.windows` names is read whole, in as many sequences as that
  /// takes: windows of equal length, each beginning `overlap` tokens before the end of the last, as Hugging
  /// Face's `stride` has them; at least one. The other text of a pair stands in every window, cut to half the
  /// room where it is longer than that and the windowed text needs more. `encoding.truncated` tells that
  /// tokens are in no window. Windows count from the beginning whatever `options.side` is.
  virtual void encode_windows(std::string_view text, std::optional<std::string_view> pair,
                              const EncodeOptions& options, std::vector<Window>& out) const = 0;

  /// One more than the largest id that encode() can return.
  virtual size_t vocab_size() const = 0;

  /// Number of tokens that the template adds to a single text or to a pair.
  virtual size_t num_special_tokens(bool pair) const = 0;
};

}  // namespace enc
