#include "batch/scheduler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <thread>

#include "enc/error.h"

namespace enc {

namespace {

/// Calls that one thread takes a share of at a time.
constexpr size_t kMaxSlices = 256;
/// Batches that a thread takes texts for at a time: enough to pack well, few enough that all threads end
/// together. Texts that share a beginning should meet.
constexpr size_t kBatchesPerShare = 2, kBatchesPerPrefixShare = 4;

}  // namespace

struct TokenSpan {
  int32_t begin, end;
};

struct Scheduler::Item {
  std::shared_ptr<Call> call;
  size_t index;
  size_t window;
  Encoding encoding;
  std::vector<TokenSpan> marks;  // of labels, or of documents and query; empty unless the model reads them
};

Scheduler::Scheduler(const Options& options, const Tokenizer& tokenizer, RunnerFactory make_runner)
    : options_(options), tokenizer_(tokenizer), make_runner_(std::move(make_runner)) {
  threads_.reserve(size_t(options_.threads));
  try {
    for (int i = 0; i < options_.threads; i++) threads_.emplace_back([this] { work(); });
  } catch (const std::exception& error) {
    // A container's limit on processes, or no memory for one more: go on with the threads that could be made.
    if (threads_.empty()) {
      throw Error(ErrorCode::out_of_memory,
                  std::string("no inference thread could be started: ") + error.what());
    }
  }
}

Scheduler::~Scheduler() {
  close(true);
}

/// About one token for four bytes of text, at most what the model takes at once; only balances the threads.
size_t Scheduler::estimate_tokens(const Call& call, size_t index) const {
  const Input& input = call.inputs()[index];
  const size_t bytes = input.text.size() + (input.pair ? input.pair->size() : 0) + call.label_bytes();
  const size_t most = call.has_windows() ? SIZE_MAX : options_.max_length;
  return std::min(most, bytes / 4 + 3);
}

void Scheduler::submit(std::shared_ptr<Call> call) {
  const size_t count = call->inputs().size();
  if (count == 0) {
    call->finish(0);
    return;
  }
  size_t tokens = 0;
  for (size_t i = 0; i < count; i++) tokens += estimate_tokens(*call, i);
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      active_.insert(call);
      waiting_.push_back({std::move(call), tokens});
      waiting_tokens_ += tokens;
    }
  }
  if (call) {
    call->fail(std::make_exception_ptr(Error(ErrorCode::model_disposed, "the model has been disposed")));
    call->finish(count);
    return;
  }
  if (count == 1) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
}

/// Tokens to take next: what is left divided by the threads, at most what fills a few batches. Shares get
/// smaller towards the end, so that all threads end together; where each pays for the texts' common
/// beginning, they do not get smaller than half of a thread's part of the call.
size_t Scheduler::share_tokens() const {
  const auto threads = size_t(options_.threads);
  const size_t fair = (waiting_tokens_ + threads - 1) / threads;
  if (!options_.batch.shares_prefixes) return std::min(fair, kBatchesPerShare * options_.batch.max_tokens);
  const size_t least = std::min(waiting_.front().tokens / threads / 2, options_.batch.max_tokens);
  return std::min(std::max(fair, least), kBatchesPerPrefixShare * options_.batch.max_tokens);
}

/// The next share of the queue, empty when the scheduler has closed.
std::vector<Slice> Scheduler::take() {
  // All that is allocated here, so that a failure leaves the queue as it was.
  std::vector<Slice> slices;
  slices.reserve(kMaxSlices);
  std::unique_lock lock(mutex_);
  idle_threads_++;
  wake_.wait(lock, [this] { return !waiting_.empty() || closing_; });
  idle_threads_--;
  const size_t target = waiting_.empty() ? 0 : share_tokens();
  size_t taken = 0;
  while (!waiting_.empty() && slices.size() < kMaxSlices && (taken == 0 || taken < target)) {
    Waiting& front = waiting_.front();
    const size_t count = front.call->inputs().size();
    Slice slice{front.call, front.next, front.next};
    while (slice.end < count && (taken == 0 || taken < target))
      taken += estimate_tokens(*slice.call, slice.end++);
    front.next = slice.end;
    if (front.next == count) waiting_.pop_front();
    slices.push_back(std::move(slice));
  }
  waiting_tokens_ -= taken;
  return slices;
}

void Scheduler::work() {
  std::unique_ptr<BatchRunner> runner;
  for (;;) {
    std::vector<Slice> slices;
    try {
      slices = take();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (slices.empty()) return;
    try {
      if (!runner) runner = make_runner_();
      process(slices, *runner);
    } catch (...) {
      for (const Slice& slice : slices) slice.call->fail(std::current_exception());
    }
    for (const Slice& slice : slices) {
      if (slice.call->finish(slice.end - slice.begin)) {
        const std::lock_guard lock(mutex_);
        active_.erase(slice.call);
      }
    }
  }
}

namespace {

/// The tokens [begin, end) that stand for `count` labels or documents, and those of the separator where it is
/// marked.
std::vector<TokenSpan> find_marks(const std::vector<int32_t>& ids, const MarkRule& rule, size_t count) {
  const auto length = int32_t(ids.size());
  const auto separator = std::find(ids.begin(), ids.end(), rule.separator_id);
  const bool ends_early = rule.ends_at_separator || rule.marks_separator;
  const int32_t last = ends_early ? int32_t(separator - ids.begin()) : length;
  std::vector<TokenSpan> marks;
  for (int32_t i = 0; i < length; i++) {
    if (ids[size_t(i)] != rule.token_id) continue;
    if (!marks.empty()) marks.back().end = std::min(i, marks.back().end);
    marks.push_back({i, std::max(i + 1, last)});
  }
  if (rule.marks_separator) {
    const bool is_last = separator != ids.end() && !marks.empty() && marks.back().begin < last;
    if (count == 0 || marks.size() != count || !is_last)
      throw Error(ErrorCode::input_invalid, count == 0 ? "a query stands alone; the model ranks documents"
                                                       : "a text changes the tokens of the list around it");
    marks.push_back({last, last + 1});
  }
  if (marks.size() < count)
    throw Error(ErrorCode::input_invalid, "a label changes the token before it, so that its place is lost");
  if (rule.labels_first)
    marks.resize(count + (rule.marks_separator ? 1 : 0));
  else
    marks.erase(marks.begin(), marks.end() - ptrdiff_t(count));
  for (auto& [begin, end] : marks) {
    if (rule.tokens == LabelTokens::kNext) begin = std::min(begin + 1, length - 1);
    if (rule.tokens == LabelTokens::kRest) begin++;
    if (rule.tokens == LabelTokens::kMark || rule.tokens == LabelTokens::kNext) end = begin + 1;
  }
  return marks;
}

void set_segments(Encoding& encoding, int32_t separator) {
  const auto found = std::find(encoding.ids.begin(), encoding.ids.end(), separator);
  const auto labels = found - encoding.ids.begin();
  std::fill(encoding.type_ids.begin(), encoding.type_ids.begin() + labels, 0);
  std::fill(encoding.type_ids.begin() + labels, encoding.type_ids.end(), 1);
}

}  // namespace

void Scheduler::tokenize(const Slice& slice, std::vector<Item>& items) {
  Call& call = *slice.call;
  const auto add = [&](size_t index, size_t window, Encoding&& encoding) {
    std::vector<TokenSpan> marks;
    if (options_.marks) {
      const size_t listed = call.options().labels.size();
      marks = find_marks(encoding.ids, *options_.marks, call.inputs()[index].pair ? 1 : listed);
      if (options_.marks->has_segments) set_segments(encoding, options_.marks->separator_id);
    }
    items.push_back({slice.call, index, window, std::move(encoding), std::move(marks)});
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

void Scheduler::process(const std::vector<Slice>& slices, BatchRunner& runner) {
  std::vector<Item> items;
  for (const Slice& slice : slices) tokenize(slice, items);
  std::erase_if(items, [](const Item& item) { return item.encoding.ids.empty(); });
  if (options_.interaction) return compare(items, runner);
  const auto first_short = std::stable_partition(items.begin(), items.end(), [this](const Item& item) {
    return item.encoding.ids.size() > options_.short_length;
  });
  compute({items.begin(), first_short}, runner);
  compute({first_short, items.end()}, runner);
}

void Scheduler::compute(std::span<Item> items, BatchRunner& runner) {
  // Equal lengths next to each other: the portable graph computes attention once per length.
  const bool by_ids = options_.batch.shares_prefixes;
  std::stable_sort(items.begin(), items.end(), [by_ids](const Item& a, const Item& b) {
    return by_ids ? a.encoding.ids < b.encoding.ids : a.encoding.ids.size() > b.encoding.ids.size();
  });
  std::vector<std::span<const int32_t>> texts;
  texts.reserve(items.size());
  std::vector<size_t> heads;
  for (const Item& item : items) {
    texts.emplace_back(item.encoding.ids);
    if (by_ids && options_.marks) heads.push_back(size_t(item.marks.front().begin));
  }
  for (const BatchPlan& plan : plan_batches(texts, options_.batch, heads)) run_batch(items, plan, runner);
}

namespace {

/// A sequence more, of tokens [begin, end) of an encoding, the first of them in place `position` of its text.
void append_sequence(PackedBatch& batch, const Encoding& encoding, size_t begin, size_t end, size_t position,
                     bool single_segment) {
  const auto first = ptrdiff_t(begin), last = ptrdiff_t(end);
  batch.ids.insert(batch.ids.end(), encoding.ids.begin() + first, encoding.ids.begin() + last);
  if (single_segment) {
    batch.type_ids.resize(batch.ids.size(), 0);
  } else {
    batch.type_ids.insert(batch.type_ids.end(), encoding.type_ids.begin() + first,
                          encoding.type_ids.begin() + last);
  }
  for (size_t p = 0; p < end - begin; p++) batch.positions.push_back(int32_t(position + p));
  batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
}

std::exception_ptr not_finite(size_t index) {
  return std::make_exception_ptr(Error(ErrorCode::weights_not_finite,
                                       "the model's logits for input " + std::to_string(index) +
                                           " are not finite; its weights hold or produce NaN or infinity"));
}

}  // namespace

void Scheduler::run_batch(std::span<const Item> items, const BatchPlan& plan, BatchRunner& runner) {
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  std::vector<const Item*> rows;  // null: a prefix, whose logits say nothing
  const auto add = [&](const Item& item, size_t begin, size_t end, int32_t prefix) {
    const int32_t first = batch.cu_seqlens.back(), sequence = int32_t(batch.num_sequences());
    append_sequence(batch, item.encoding, begin, end, begin, options_.single_segment);
    batch.prefixes.push_back(prefix);
    // What is shared ends before the first of them.
    for (const TokenSpan& mark : item.marks) {
      if (size_t(mark.begin) < begin || size_t(mark.end) > end) continue;
      batch.marks.push_back(first + mark.begin - int32_t(begin));
      batch.mark_ends.push_back(first + mark.end - int32_t(begin));
      batch.mark_owners.push_back(sequence);
    }
  };
  bool has_prefixes = false;
  for (const BatchPart& part : plan) {
    int32_t prefix = -1;
    for (size_t i = part.begin; i < part.end; i++) {
      const Item& item = items[i];
      if (item.call->is_dead()) continue;
      if (part.prefix > 0 && prefix < 0) {
        prefix = int32_t(rows.size());
        add(item, 0, part.prefix, -1);
        rows.push_back(nullptr);
        has_prefixes = true;
      }
      add(item, part.prefix, item.encoding.ids.size(), prefix);
      rows.push_back(&item);
    }
  }
  if (!has_prefixes) batch.prefixes.clear();
  if (rows.empty()) return;

  const auto all_dead = [&rows] {
    return std::all_of(rows.begin(), rows.end(),
                       [](const Item* row) { return row == nullptr || row->call->is_dead(); });
  };
  std::vector<float> logits;
  try {
    runner.run(batch, all_dead, logits);
  } catch (...) {
    for (const Item* row : rows) {
      if (row != nullptr && !row->call->is_dead()) row->call->fail(std::current_exception());
    }
    return;
  }
  const float* row = logits.data();
  for (size_t r = 0, size; r < rows.size(); r++, row += size) {
    const size_t unread = options_.marks ? 0 : options_.num_labels;
    size = rows[r] == nullptr ? unread : rows[r]->call->row_size();
    if (rows[r] == nullptr) continue;
    if (!std::all_of(row, row + size, [](float x) { return std::isfinite(x); })) {
      rows[r]->call->fail(not_finite(rows[r]->index));
    } else {
      rows[r]->call->set_logits(rows[r]->index, rows[r]->window, row);
    }
  }
}

/// The vectors of the query that was read last, for more documents.
struct Scheduler::QueryVectors {
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
void Scheduler::compare(std::span<Item> items, BatchRunner& runner) {
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
    compare_batch(items.subspan(begin, end - begin), query, runner);
  }
}

void Scheduler::compare_batch(std::span<const Item> items, QueryVectors& query, BatchRunner& runner) {
  struct Row {
    const Item* item;
    bool is_query;
    size_t vectors;
  };
  const InteractionRule& rule = *options_.interaction;
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  std::vector<Row> rows;
  const auto add = [&](const Item& item, bool is_query) {
    const Encoding& encoding = item.encoding;
    const size_t begin = is_query ? 0 : encoding.query_tokens;
    const size_t end = is_query ? encoding.query_tokens : encoding.ids.size();
    const int32_t first = batch.cu_seqlens.back(), sequence = int32_t(batch.num_sequences());
    append_sequence(batch, encoding, begin, end, 0, options_.single_segment);
    batch.key_counts.push_back(int32_t(is_query ? encoding.query_keys : end - begin));
    const std::vector<int32_t> scoring =
        scoring_tokens(std::span(encoding.ids).subspan(begin, end - begin), is_query, rule);
    for (const int32_t token : scoring) {
      batch.marks.push_back(first + token);
      batch.mark_ends.push_back(first + token + 1);
      batch.mark_owners.push_back(sequence);
    }
    rows.push_back({&item, is_query, scoring.size()});
  };
  const Item* owner = query.owner;
  for (const Item& item : items) {
    if (item.call->is_dead()) continue;
    if (owner == nullptr || !std::ranges::equal(query_ids(owner->encoding), query_ids(item.encoding)))
      add(*(owner = &item), true);
    add(item, false);
  }
  if (rows.empty()) return;

  std::vector<float> vectors;
  try {
    // Where no token scores there is nothing to compute.
    if (!batch.marks.empty())
      runner.run(
          batch,
          [&rows] {
            return std::all_of(rows.begin(), rows.end(),
                               [](const Row& row) { return row.item->call->is_dead(); });
          },
          vectors);
  } catch (...) {
    query.owner = nullptr;
    for (const Row& row : rows) {
      if (!row.item->call->is_dead()) row.item->call->fail(std::current_exception());
    }
    return;
  }
  std::span<float> rest = vectors;
  for (const auto& [item, is_query, count] : rows) {
    const std::span<float> own = rest.first(count * rule.vector_size);
    rest = rest.subspan(own.size());
    const bool finite = prepare_vectors(own, rule);
    if (is_query) {
      query = {item, {own.begin(), own.end()}, finite};
    } else if (!finite || !query.finite) {
      item->call->fail(not_finite(item->index));
    } else {
      const float score = max_sim(query.rows, own, rule);
      item->call->set_logits(item->index, item->window, &score);
    }
  }
}

void Scheduler::close(bool cancel_running) {
  std::vector<Waiting> refused;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    if (cancel_running) {
      for (const auto& call : active_) call->cancel();
    }
    std::deque<Waiting> begun;
    for (Waiting& waiting : waiting_) {
      if (waiting.next > 0) {
        begun.push_back(std::move(waiting));
      } else {
        active_.erase(waiting.call);
        refused.push_back(std::move(waiting));
      }
    }
    waiting_ = std::move(begun);
  }
  wake_.notify_all();
  for (const Waiting& waiting : refused) {
    waiting.call->fail(std::make_exception_ptr(
        Error(ErrorCode::model_disposed, "the model was disposed before this call began")));
    waiting.call->finish(waiting.call->inputs().size());
  }
  const std::lock_guard lock(join_mutex_);
  for (Thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace enc
