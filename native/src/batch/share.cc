#include "batch/share.h"

#include <algorithm>
#include <cmath>

#include "batch/marks.h"
#include "enc/error.h"

namespace enc {

struct ShareProcessor::Item {
  size_t slice;
  std::shared_ptr<Call> call;
  size_t index;
  size_t window;
  Encoding encoding;
  // Of labels, and of the text where its tokens are read too, or of documents and query; empty unless the
  // model reads them.
  std::vector<TokenSpan> marks;
};

ShareProcessor::ShareProcessor(const ShareOptions& options, const Tokenizer& tokenizer,
                               std::unique_ptr<BatchRunner> runner, Finish finish)
    : options_(options), tokenizer_(tokenizer), runner_(std::move(runner)), finish_(std::move(finish)) {}

void ShareProcessor::process(std::span<Slice> share) {
  share_ = share;
  items_left_.assign(share.size(), 0);
  std::vector<Item> items = tokenize();
  for (const Item& item : items) items_left_[item.slice]++;
  for (size_t slice = 0; slice < share.size(); slice++) {
    if (items_left_[slice] == 0) finish_(share[slice]);
  }
  if (options_.interaction) return compare(items);
  const auto first_long = std::stable_partition(items.begin(), items.end(), [this](const Item& item) {
    return item.encoding.ids.size() <= options_.short_length;
  });
  compute({items.begin(), first_long});
  compute({first_long, items.end()});
}

namespace {

void set_segments(Encoding& encoding, int32_t separator) {
  const auto found = std::find(encoding.ids.begin(), encoding.ids.end(), separator);
  const auto labels = found - encoding.ids.begin();
  std::fill(encoding.type_ids.begin(), encoding.type_ids.begin() + labels, 0);
  std::fill(encoding.type_ids.begin() + labels, encoding.type_ids.end(), 1);
}

}  // namespace

/// What is to be computed: not what is only tokenized, nor what has no tokens, but where two texts are
/// compared.
std::vector<ShareProcessor::Item> ShareProcessor::tokenize() const {
  std::vector<Item> items;
  for (size_t slice = 0; slice < share_.size(); slice++) tokenize(slice, items);
  if (!options_.interaction) std::erase_if(items, [](const Item& item) { return item.encoding.ids.empty(); });
  return items;
}

void ShareProcessor::tokenize(size_t place, std::vector<Item>& items) const {
  const Slice& slice = share_[place];
  Call& call = *slice.call;
  const auto add = [&](size_t index, size_t window, Encoding&& encoding) {
    std::vector<TokenSpan> marks;
    if (options_.marks) {
      const size_t listed = call.options().labels.size();
      marks = find_marks(encoding, *options_.marks, call.inputs()[index].pair ? 1 : listed);
      if (options_.marks->has_segments) set_segments(encoding, options_.marks->separator_id);
    }
    items.push_back({place, slice.call, index, window, std::move(encoding), std::move(marks)});
  };
  try {
    for (size_t i = slice.begin; i < slice.end && !call.is_dead(); i++) {
      const Input& input = call.inputs()[i];
      if (call.has_windows() && call.wants_logits()) {
        std::vector<Window> windows;
        tokenizer_.encode_windows(input.text, input.pair, call.options(), windows);
        call.set_windows(i, windows);
        for (size_t w = 0; w < windows.size(); w++) add(i, w, std::move(windows[w].encoding));
        continue;
      }
      Encoding encoding;
      if (input.parts)
        tokenizer_.encode_written_out(input.text, *input.parts, call.options(), encoding);
      else
        tokenizer_.encode(input.text, input.pair, call.options(), encoding);
      if (call.wants_logits()) {
        call.set_counts(i, encoding);
        add(i, 0, std::move(encoding));
      } else {
        call.set_encoding(i, std::move(encoding));
      }
    }
  } catch (...) {
    call.fail(std::current_exception());
  }
}

/// Every item once, whether it was computed or its call has failed.
void ShareProcessor::answered(const Item& item) {
  if (--items_left_[item.slice] == 0) finish_(share_[item.slice]);
}

/// A sequence more, of tokens [begin, end) of an item, the first of them that counts in place `position`.
void ShareProcessor::append_sequence(PackedBatch& batch, const Item& item, size_t begin, size_t end,
                                     size_t position) const {
  const auto first = ptrdiff_t(begin), last = ptrdiff_t(end);
  const std::vector<int32_t>&ids = item.encoding.ids, &types = item.encoding.type_ids;
  batch.ids.insert(batch.ids.end(), ids.begin() + first, ids.begin() + last);
  if (options_.single_segment) {
    batch.type_ids.resize(batch.ids.size(), 0);
  } else {
    batch.type_ids.insert(batch.type_ids.end(), types.begin() + first, types.begin() + last);
  }
  for (auto id = ids.begin() + first; id != ids.begin() + last; ++id) {
    const bool counts = *id != options_.uncounted_token_id;
    batch.positions.push_back(counts ? int32_t(position++) : options_.uncounted_position);
  }
  if (batch.cu_seqlens.empty()) batch.cu_seqlens.push_back(0);
  batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
}

namespace {

/// The last sequence is a text of these tokens.
void append_text(PackedBatch& batch, const TokenSpan& text) {
  const int32_t first = batch.cu_seqlens[size_t(batch.num_sequences() - 1)];
  batch.texts.push_back(first + text.begin);
  batch.text_ends.push_back(first + text.end);
}

/// Tokens [begin, end) of the last sequence.
void append_mark(PackedBatch& batch, size_t begin, size_t end) {
  const auto sequence = size_t(batch.num_sequences() - 1);
  const int32_t first = batch.cu_seqlens[sequence];
  batch.marks.push_back(first + int32_t(begin));
  batch.mark_ends.push_back(first + int32_t(end));
  batch.mark_owners.push_back(int32_t(sequence));
}

std::exception_ptr not_finite(size_t index) {
  return std::make_exception_ptr(Error(ErrorCode::weights_not_finite,
                                       "the model's logits for input " + std::to_string(index) +
                                           " are not finite; its weights hold or produce NaN or infinity"));
}

}  // namespace

/// Appends what the batch gives to `values`. Each sequence has an owner, null where none waits for it. False
/// when the batch failed; its owners' calls have then failed too.
bool ShareProcessor::run(const PackedBatch& batch, std::span<const Item* const> owners,
                         std::vector<float>& values) {
  const auto is_dead = [](const Item* owner) { return owner == nullptr || owner->call->is_dead(); };
  try {
    runner_->run(
        batch, [&] { return std::ranges::all_of(owners, is_dead); }, values);
    return true;
  } catch (...) {
    for (const Item* owner : owners) {
      if (!is_dead(owner)) owner->call->fail(std::current_exception());
    }
    return false;
  }
}

/// How many tokens the text may have in common with others that begin alike: those before what the head
/// reads. The second text of a pair is of another segment than the same tokens in a text alone, so that they
/// end before it.
size_t ShareProcessor::shared_tokens(const Item& item) const {
  const std::vector<int32_t>&ids = item.encoding.ids, &types = item.encoding.type_ids;
  const size_t before_head =
      options_.marks ? size_t(item.marks.front().begin) : tokens_before_head(ids, options_.pad_token_id);
  if (options_.single_segment) return before_head;
  const auto end = types.begin() + ptrdiff_t(before_head);
  return size_t(std::find_if(types.begin(), end, [](int32_t type) { return type != 0; }) - types.begin());
}

void ShareProcessor::compute(std::span<Item> items) {
  // Equal lengths next to each other: the portable graph computes attention once per length. Short ones
  // first: their calls do not wait for the long ones.
  const bool by_ids = options_.batch.shares_prefixes;
  std::stable_sort(items.begin(), items.end(), [by_ids](const Item& a, const Item& b) {
    return by_ids ? a.encoding.ids < b.encoding.ids : a.encoding.ids.size() < b.encoding.ids.size();
  });
  std::vector<std::span<const int32_t>> texts;
  texts.reserve(items.size());
  std::vector<size_t> shared;
  for (const Item& item : items) {
    texts.emplace_back(item.encoding.ids);
    if (by_ids) shared.push_back(shared_tokens(item));
  }
  for (const BatchPlan& plan : plan_batches(texts, options_.batch, shared)) {
    compute_batch(items, plan);
    for (const BatchPart& part : plan) {
      for (const Item& item : items.subspan(part.begin, part.end - part.begin)) answered(item);
    }
  }
}

/// What stands before the part's texts without being computed for each; none of them is dead.
ShareProcessor::Beginning ShareProcessor::begin(std::span<const Item* const> texts, size_t prefix) const {
  const Beginning shared{texts.size() > 1 ? prefix : 0, {}, nullptr};
  if (options_.memory == nullptr) return shared;
  const Item& first = *texts.front();
  const std::span<const int32_t> ids = first.encoding.ids;
  // Long texts turn their keys otherwise than short ones that begin alike.
  if (ids.size() > options_.short_length) return shared;
  const size_t count = texts.size() == 1 ? shared_tokens(first) : prefix;
  if (auto kept = options_.memory->note(ids.first(count))) return {shared.prefix, {}, std::move(kept)};
  Remembered remembered = options_.memory->find(ids.first(count));
  // Behind what is remembered each text would compute the rest of the prefix for itself.
  if (texts.size() > 1 && texts.size() * (prefix - remembered.tokens) > prefix) return shared;
  return {0, std::move(remembered), nullptr};
}

void ShareProcessor::compute_batch(std::span<const Item> items, const BatchPlan& plan) {
  PackedBatch batch;
  std::vector<const Item*> owners;  // null: a prefix, whose logits say nothing
  const auto add = [&](const Item* owner, const Item& item, size_t begin, size_t end, int32_t prefix,
                       const Remembered& before) {
    append_sequence(batch, item, begin, end, begin);
    batch.prefixes.push_back(prefix);
    batch.remembered.push_back(before);
    std::span<const TokenSpan> marks = item.marks;
    if (options_.marks && options_.marks->tokens == LabelTokens::kHeld) {
      append_text(batch, marks.back());
      marks = marks.first(marks.size() - 1);
    }
    // What is shared ends before the first of them.
    for (const TokenSpan& mark : marks) {
      const auto from = size_t(mark.begin), to = size_t(mark.end);
      if (from >= begin && to <= end) append_mark(batch, from - begin, to - begin);
    }
    owners.push_back(owner);
  };
  for (const BatchPart& part : plan) {
    std::vector<const Item*> texts;
    for (const Item& item : items.subspan(part.begin, part.end - part.begin)) {
      if (!item.call->is_dead()) texts.push_back(&item);
    }
    if (texts.empty()) continue;
    Beginning before = begin(texts, part.prefix);
    const auto first = int32_t(owners.size());
    if (before.kept && !batch.kept) {
      batch.kept = std::move(before.kept);
      batch.kept_sequence = first;
    }
    if (before.prefix > 0) add(nullptr, *texts.front(), 0, before.prefix, -1, {});
    for (const Item* item : texts) {
      const size_t own = std::max(before.prefix, before.remembered.tokens);
      add(item, *item, own, item->encoding.ids.size(), before.prefix > 0 ? first : -1, before.remembered);
    }
  }
  const bool recalls = std::ranges::any_of(batch.remembered, [](const auto& one) { return one.tokens > 0; });
  if (!recalls) batch.remembered.clear();
  if (!recalls && std::ranges::find(owners, nullptr) == owners.end()) batch.prefixes.clear();
  std::vector<float> logits;
  if (owners.empty() || !run(batch, owners, logits)) return;
  if (batch.kept) options_.memory->remember(std::move(batch.kept));

  const float* row = logits.data();
  for (const Item* owner : owners) {
    if (owner == nullptr) {
      if (!options_.marks) row += options_.num_labels;
      continue;
    }
    const size_t size = owner->call->row_size();
    if (std::all_of(row, row + size, [](float x) { return std::isfinite(x); })) {
      owner->call->set_logits(owner->index, owner->window, row);
    } else {
      owner->call->fail(not_finite(owner->index));
    }
    row += size;
  }
}

/// The vectors of the query that was read last, for more documents.
struct ShareProcessor::QueryVectors {
  const Item* owner = nullptr;  // a pair with that query; null: there are none
  std::vector<float> rows;
  bool finite = false;
};

namespace {

std::span<const int32_t> query_ids(const Encoding& encoding) {
  return std::span(encoding.ids).first(encoding.query_tokens);
}

}  // namespace

/// Pairs with the same query behind each other: it is read once.
void ShareProcessor::compare(std::span<Item> items) {
  const auto document_tokens = [](const Item& item) {
    return item.encoding.ids.size() - item.encoding.query_tokens;
  };
  const auto order = [](const Item& a, const Item& b) {
    return std::ranges::lexicographical_compare(query_ids(a.encoding), query_ids(b.encoding));
  };
  std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    if (order(a, b)) return true;
    return !order(b, a) && document_tokens(a) > document_tokens(b);
  });
  QueryVectors query;
  for (size_t begin = 0, end; begin < items.size(); begin = end) {
    size_t tokens = 0;
    for (end = begin; end < items.size(); end++) {
      const bool is_new = end == 0 || order(items[end - 1], items[end]);
      const size_t more = document_tokens(items[end]) + (is_new ? items[end].encoding.query_tokens : 0);
      if (end > begin && tokens + more > options_.batch.max_tokens) break;
      tokens += more;
    }
    const std::span<Item> batch = items.subspan(begin, end - begin);
    compare_batch(batch, query);
    for (const Item& item : batch) answered(item);
  }
}

void ShareProcessor::compare_batch(std::span<const Item> items, QueryVectors& query) {
  struct Row {
    bool is_query;
    size_t vectors;
  };
  const InteractionRule& rule = *options_.interaction;
  PackedBatch batch;
  std::vector<const Item*> owners;
  std::vector<Row> rows;
  const auto add = [&](const Item& item, bool is_query) {
    const Encoding& encoding = item.encoding;
    const size_t begin = is_query ? 0 : encoding.query_tokens;
    const size_t end = is_query ? encoding.query_tokens : encoding.ids.size();
    owners.push_back(&item);
    // An empty text to which nothing is added has no sequence.
    if (begin == end) return rows.push_back({is_query, 0});
    append_sequence(batch, item, begin, end, 0);
    batch.key_counts.push_back(int32_t(is_query ? encoding.query_keys : end - begin));
    const std::vector<int32_t> scoring =
        scoring_tokens(std::span(encoding.ids).subspan(begin, end - begin), is_query, rule);
    for (const int32_t token : scoring) append_mark(batch, size_t(token), size_t(token) + 1);
    rows.push_back({is_query, scoring.size()});
  };
  const Item* asker = query.owner;
  for (const Item& item : items) {
    if (item.call->is_dead()) continue;
    if (asker == nullptr || !std::ranges::equal(query_ids(asker->encoding), query_ids(item.encoding)))
      add(*(asker = &item), true);
    add(item, false);
  }
  if (owners.empty()) return;

  std::vector<float> vectors;
  // Where no token scores there is nothing to compute.
  if (!batch.marks.empty() && !run(batch, owners, vectors)) {
    query.owner = nullptr;
    return;
  }
  std::span<float> rest = vectors;
  for (size_t r = 0; r < rows.size(); r++) {
    const Item& item = *owners[r];
    const std::span<float> own = rest.first(rows[r].vectors * rule.vector_size);
    rest = rest.subspan(own.size());
    const bool finite = prepare_vectors(own, rule);
    if (rows[r].is_query) {
      query = {&item, {own.begin(), own.end()}, finite};
    } else if (!finite || !query.finite) {
      item.call->fail(not_finite(item.index));
    } else {
      const float score = max_sim(query.rows, own, rule);
      item.call->set_logits(item.index, item.window, &score);
    }
  }
}

}  // namespace enc
