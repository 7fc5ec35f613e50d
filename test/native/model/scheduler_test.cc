#include "batch/scheduler.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <numeric>
#include <thread>

#include "check.h"
#include "enc/error.h"

namespace enc::test {
namespace {

/// One id per byte of text, so that results can be told from inputs.
class ByteTokenizer final : public Tokenizer {
 public:
  void encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options,
              Encoding& out) const override {
    if (text == "refuse me") throw Error(ErrorCode::input_invalid, "refused");
    for (const char byte : text) out.ids.push_back(static_cast<unsigned char>(byte));
    if (pair) out.ids.push_back(int32_t(pair->size()));
    out.truncated = out.ids.size() > options.max_length;
    if (out.truncated) out.ids.resize(options.max_length);
    out.type_ids.resize(out.ids.size());
  }
  void encode_written_out(std::string_view text, const WrittenOut&, const EncodeOptions& options,
                          Encoding& out) const override {
    encode(text, std::nullopt, options, out);
  }
  /// Windows of max_length bytes of text.
  void encode_windows(std::string_view text, std::optional<std::string_view>, const EncodeOptions& options,
                      std::vector<Window>& out) const override {
    if (text == "refuse me") throw Error(ErrorCode::input_invalid, "refused");
    out.clear();
    for (size_t begin = 0; begin < text.size() && out.size() < options.max_windows;
         begin += options.max_length) {
      Window& window = out.emplace_back();
      window.begin = begin;
      window.end = std::min(begin + options.max_length, text.size());
      encode(text.substr(begin, options.max_length), std::nullopt, options, window.encoding);
    }
  }
  size_t vocab_size() const override { return 256; }
  size_t num_special_tokens(bool) const override { return 0; }
};

constexpr int32_t kUncounted = '#', kItsPosition = 99;

/// Logits {sum of ids, number of tokens}, those of a prefix included; records what it was given.
class SumRunner final : public BatchRunner {
 public:
  struct Record {
    std::atomic<int> batches = 0;
    std::atomic<int64_t> largest_batch = 0;
    std::atomic<int64_t> tokens = 0;
    std::atomic<int64_t> recalled = 0;  ///< tokens that were not computed again
    std::atomic<size_t> short_length = SIZE_MAX;
    std::atomic<int> uncounted = 0;      ///< tokens that positions do not count
    std::atomic<int> mixed_batches = 0;  ///< with texts longer than that and others
    std::atomic<bool> fail = false;
    std::atomic<bool> produce_nan = false;
    std::atomic<bool> hold = false;
  };
  explicit SumRunner(Record& record) : record_(record) {}

  void run(const PackedBatch& batch, const std::function<bool()>& should_stop,
           std::vector<float>& logits) override {
    record_.batches++;
    if (batch.num_tokens() > record_.largest_batch) record_.largest_batch = batch.num_tokens();
    count_mixed(batch);
    while (record_.hold) {
      if (should_stop()) throw Error(ErrorCode::aborted, "stopped");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (record_.fail) throw Error(ErrorCode::out_of_memory, "planted");
    record_.tokens += batch.num_tokens();
    std::vector<float> sums;
    for (int64_t b = 0; b < batch.num_sequences(); b++) {
      const int64_t before = batch.prefix_length(b);
      float sum = 0;
      if (!batch.prefixes.empty() && batch.prefixes[size_t(b)] >= 0)
        sum = sums[size_t(batch.prefixes[size_t(b)])];
      else if (before > 0)
        sum = recalled(batch.remembered[size_t(b)]);
      const int32_t begin = batch.cu_seqlens[size_t(b)], end = batch.cu_seqlens[size_t(b) + 1];
      for (int32_t t = begin; t < end; t++) sum += float(batch.ids[size_t(t)]);
      int32_t counted = int32_t(before);
      for (int32_t t = begin; t < end; t++) {
        const bool counts = batch.ids[size_t(t)] != kUncounted;
        if (!counts) record_.uncounted++;
        CHECK(batch.positions[size_t(t)] == (counts ? counted++ : kItsPosition));
      }
      sums.push_back(sum);
      if (batch.kept && b == batch.kept_sequence) keep(batch, begin, int32_t(before));
      logits.push_back(record_.produce_nan ? std::numeric_limits<float>::quiet_NaN() : sum);
      logits.push_back(float(before + end - begin));
    }
  }

 private:
  /// A token's only key is its id.
  static void keep(const PackedBatch& batch, int32_t begin, int32_t before) {
    CHECK(before == 0);
    const size_t count = batch.kept->ids().size();
    CHECK(count <= size_t(batch.length(batch.kept_sequence)));
    for (size_t t = 0; t < count; t++) {
      CHECK(batch.ids[size_t(begin) + t] == batch.kept->ids()[t]);
      batch.kept->keys(0)[t] = float(batch.ids[size_t(begin) + t]);
    }
  }
  float recalled(const Remembered& before) const {
    record_.recalled += int64_t(before.tokens);
    return std::accumulate(before.states->keys(0), before.states->keys(0) + before.tokens, 0.0f);
  }

  void count_mixed(const PackedBatch& batch) {
    bool has_long = false, has_short = false;
    for (int64_t b = 0; b < batch.num_sequences(); b++) {
      // What is only begun with is no text.
      if (std::find(batch.prefixes.begin(), batch.prefixes.end(), int32_t(b)) != batch.prefixes.end())
        continue;
      const auto length = size_t(batch.prefix_length(b) + batch.length(b));
      (length > record_.short_length ? has_long : has_short) = true;
    }
    if (has_long && has_short) record_.mixed_batches++;
  }

  Record& record_;
};

struct Fixture {
  explicit Fixture(int threads = 2, bool shares_prefixes = false, size_t short_length = SIZE_MAX,
                   PrefixMemory* memory = nullptr)
      : max_length(memory == nullptr ? 16 : 200),
        scheduler({threads,
                   max_length,
                   {{4 * max_length, shares_prefixes},
                    -1,
                    2,
                    false,
                    short_length,
                    {},
                    {},
                    kUncounted,
                    kItsPosition,
                    memory}},
                  tokenizer, [this] { return std::make_unique<SumRunner>(record); }) {}

  struct Outcome {
    bool failed = false;
    ErrorCode code = ErrorCode::internal;
    RunResult result;
    std::string message = {};
    int place = 0;    ///< among all that were answered
    int batches = 0;  ///< that had been begun by then
  };
  struct Running {
    std::shared_ptr<Call> call;
    std::future<Outcome> outcome;
  };

  /// `then` runs on the inference thread when the call has been answered.
  Running start(
      std::vector<Input> inputs, WindowedText windows = WindowedText::kNone,
      std::function<void()> then = [] {}, size_t inputs_before = 0) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    EncodeOptions options;
    options.max_length = max_length;
    options.windows = windows;
    options.inputs_before = inputs_before;
    auto call = std::make_shared<Call>(std::move(inputs), options, 2,
                                       [this, promise, then](std::exception_ptr error, RunResult result) {
                                         Outcome outcome{bool(error), ErrorCode::internal, std::move(result)};
                                         outcome.place = num_answered++;
                                         outcome.batches = record.batches;
                                         try {
                                           if (error) std::rethrow_exception(error);
                                         } catch (const Error& known) {
                                           outcome.code = known.code();
                                           outcome.message = known.what();
                                         }
                                         promise->set_value(std::move(outcome));
                                         then();
                                       });
    scheduler.submit(call);
    return {call, promise->get_future()};
  }

  /// A call that a thread stays at until `record.hold` ends.
  Running hold() {
    record.hold = true;
    Running first = start({{"a", std::nullopt}});
    while (record.batches == 0) std::this_thread::yield();
    return first;
  }

  const size_t max_length;
  ByteTokenizer tokenizer;
  SumRunner::Record record;
  std::atomic<int> num_answered = 0;
  Scheduler scheduler;
};

std::vector<Input> numbered_inputs(size_t count) {
  std::vector<Input> inputs;
  for (size_t i = 0; i < count; i++)
    inputs.push_back({std::string(1 + i % 20, char('a' + i % 26)), std::nullopt});
  return inputs;
}

void check_numbered(const RunResult& result, size_t count) {
  CHECK(result.logits.size() == 2 * count && result.tokens.size() == count &&
        result.truncated.size() == count);
  for (size_t i = 0; i < count; i++) {
    const size_t tokens = std::min<size_t>(16, 1 + i % 20);
    CHECK(result.logits[2 * i] == float(tokens) * float('a' + i % 26));
    CHECK(result.logits[2 * i + 1] == float(tokens) && size_t(result.tokens[i]) == tokens);
    CHECK(result.truncated[i] == (1 + i % 20 > 16));
  }
}

}  // namespace

TEST(scheduler_keeps_order_and_batch_limit) {
  Fixture f;
  check_numbered(f.start(numbered_inputs(1000)).outcome.get().result, 1000);
  CHECK(f.record.largest_batch <= 64);
  CHECK(f.record.batches < 1000);
}

TEST(scheduler_computes_what_texts_share_once) {
  std::vector<Input> inputs;
  for (size_t i = 0; i < 1000; i++) {
    const std::string query(10, char('a' + i % 2));
    inputs.push_back({query + char(33 + i % 50) + (i % 3 == 0 ? "" : "xyz"), std::nullopt});
  }
  int64_t tokens = 0;
  for (const bool shares : {false, true}) {
    Fixture f(2, shares);
    const RunResult result = f.start(inputs).outcome.get().result;
    for (size_t i = 0; i < inputs.size(); i++) {
      float sum = 0;
      for (const char c : inputs[i].text) sum += float(c);
      CHECK(result.logits[2 * i] == sum && result.logits[2 * i + 1] == float(inputs[i].text.size()));
    }
    CHECK(f.record.largest_batch <= 64);
    if (!shares) tokens = f.record.tokens;
    CHECK(!shares || 2 * f.record.tokens < tokens);
  }
}

TEST(scheduler_remembers_what_texts_of_other_calls_began_with) {
  PrefixMemory memory({1, 1, 200, 1 << 20, [] { return UINT64_MAX; }});
  Fixture f(1, true, SIZE_MAX, &memory);
  const std::string prompt = std::string(50, 'p') + std::string(50, 'q');
  const auto ask = [&](const std::vector<std::string>& texts) {
    const int64_t before = f.record.tokens;
    std::vector<Input> inputs;
    for (const std::string& text : texts) inputs.push_back({text, std::nullopt});
    const RunResult result = f.start(std::move(inputs)).outcome.get().result;
    for (size_t i = 0; i < texts.size(); i++) {
      float sum = 0;
      for (const char c : texts[i]) sum += float(c);
      CHECK(result.logits[2 * i] == sum && result.logits[2 * i + 1] == float(texts[i].size()));
    }
    return f.record.tokens - before;
  };
  CHECK(ask({prompt + "abc"}) == 103);
  CHECK(ask({prompt + "xyz"}) == 103);
  CHECK(ask({prompt + "uvw"}) == 3);
  CHECK(ask({prompt}) == 1);
  // Less of it, which is still something.
  CHECK(ask({std::string(50, 'p') + "rst"}) == 3);
  CHECK(ask({std::string(10, 'p')}) == 10);
  // All texts of a call by themselves, as long as they are not too many for what is new in what they share.
  CHECK(ask({prompt + "ab", prompt + "cd", prompt + "ef"}) == 6);
  CHECK(ask({prompt + "--" + "ab", prompt + "--" + "cd"}) == 8);
  CHECK(f.record.recalled == 3 + 0 + 100 + 99 + 50 + 300 + 200 - 3);
}

TEST(scheduler_remembers_nothing_of_long_texts_nor_of_failed_batches) {
  PrefixMemory memory({1, 1, 200, 1 << 20, [] { return UINT64_MAX; }});
  Fixture f(1, true, 60, &memory);
  const auto ask = [&](size_t length) { f.start({{std::string(length, 'p'), std::nullopt}}).outcome.get(); };
  for (int i = 0; i < 3; i++) ask(80);
  CHECK(f.record.recalled == 0);
  ask(50);
  f.record.fail = true;
  for (int i = 0; i < 3; i++) ask(50);
  f.record.fail = false;
  ask(50);
  CHECK(f.record.recalled == 0);
  ask(50);
  CHECK(f.record.recalled == 49);
}

TEST(scheduler_gives_an_uncounted_token_its_own_position) {
  Fixture f(1);
  const auto outcome =
      f.start({{"#a##b#", std::nullopt}, {"ab", std::nullopt}, {"##", std::nullopt}}).outcome.get();
  CHECK(!outcome.failed && f.record.uncounted == 6);
}

TEST(scheduler_keeps_long_texts_from_short_ones) {
  std::vector<Input> inputs = numbered_inputs(1000);
  for (size_t i = 0; i < 1000; i++)
    inputs.push_back({std::string(10, 'a') + char(33 + i % 50) + (i % 3 == 0 ? "" : "xyz"), std::nullopt});
  for (const bool shares : {false, true}) {
    RunResult unsplit;
    for (const size_t short_length : {SIZE_MAX, size_t(12)}) {
      Fixture f(2, shares, short_length);
      f.record.short_length = 12;
      const RunResult result = f.start(inputs).outcome.get().result;
      CHECK((f.record.mixed_batches == 0) == (short_length == 12));
      CHECK(f.record.batches < 1000);
      if (short_length == SIZE_MAX) unsplit = result;
      CHECK(result.logits == unsplit.logits);
    }
  }
}

TEST(scheduler_gives_each_window_its_row) {
  Fixture f;
  std::vector<Input> inputs;
  for (size_t i = 0; i < 200; i++)
    inputs.push_back({std::string(1 + i % 50, char('a' + i % 26)), std::nullopt});
  const RunResult result = f.start(inputs, WindowedText::kFirst).outcome.get().result;
  CHECK(result.window_offsets.size() == 201 && result.window_offsets.front() == 0);
  const auto num_windows = size_t(result.window_offsets.back());
  CHECK(result.window_begins.size() == num_windows && result.logits.size() == 2 * num_windows);
  for (size_t i = 0; i < 200; i++) {
    const auto first = size_t(result.window_offsets[i]), last = size_t(result.window_offsets[i + 1]);
    const size_t length = 1 + i % 50;
    CHECK(last - first == (length + 15) / 16 && size_t(result.tokens[i]) == length);
    for (size_t w = first; w < last; w++) {
      const auto begin = size_t(result.window_begins[w]), end = size_t(result.window_ends[w]);
      CHECK(begin == 16 * (w - first) && end == std::min(begin + 16, length));
      CHECK(result.logits[2 * w] == float(end - begin) * float('a' + i % 26));
      CHECK(result.logits[2 * w + 1] == float(end - begin));
    }
  }
  CHECK(f.record.largest_batch <= 64);
  check_numbered(f.start(numbered_inputs(100)).outcome.get().result, 100);
}

TEST(scheduler_cancel_stops_a_call_with_windows) {
  Fixture f;
  f.record.hold = true;
  auto running = f.start({{std::string(100000, 'x'), std::nullopt}}, WindowedText::kFirst);
  while (f.record.batches == 0) std::this_thread::yield();
  running.call->cancel();
  CHECK(running.outcome.get().code == ErrorCode::aborted);
  f.record.hold = false;
  CHECK(f.start({{"refuse me", std::nullopt}}, WindowedText::kFirst).outcome.get().code ==
        ErrorCode::input_invalid);
}

TEST(scheduler_merges_concurrent_calls) {
  Fixture f(1);
  auto first = f.hold();
  std::vector<Fixture::Running> others;
  for (int i = 0; i < 20; i++) others.push_back(f.start(numbered_inputs(1)));
  f.record.hold = false;
  for (auto& other : others) check_numbered(other.outcome.get().result, 1);
  check_numbered(first.outcome.get().result, 1);
  CHECK(f.record.batches == 2);
}

TEST(scheduler_answers_a_small_call_before_an_earlier_large_one) {
  Fixture f(1);
  auto first = f.hold();
  auto cancelled = f.start(numbered_inputs(600));
  auto large = f.start(numbered_inputs(500));
  auto small = f.start(numbered_inputs(2));
  auto same = f.start(numbered_inputs(2));
  cancelled.call->cancel();
  f.record.hold = false;
  CHECK(cancelled.outcome.get().place == 1);
  const auto answered_large = large.outcome.get(), answered_small = small.outcome.get(),
             answered_same = same.outcome.get();
  check_numbered(answered_large.result, 500);
  CHECK(answered_small.place < answered_same.place && answered_same.place < answered_large.place);
  // With the first batch behind the one that was held, though the thread took inputs of the large call too.
  CHECK(answered_small.batches == 2 && answered_large.batches > 20);
}

TEST(scheduler_lets_nobody_pass_a_call_when_its_size_has_been_taken) {
  Fixture f(1);
  auto first = f.hold();
  // 64 bytes are 19 tokens by the scheduler's estimate, of which the model takes 16.
  const Input whole{std::string(64, 'a'), std::nullopt};
  auto large = f.start(std::vector<Input>(40, whole));
  // Always small calls that wait, more than a share: the next come before the thread looks for more.
  constexpr int kSmall = 400, kAtOnce = 16;
  int started = 0;
  std::atomic<int> ended = 0;
  std::function<void()> again = [&] {
    if (started++ < kSmall) f.start({whole}, WindowedText::kNone, again);
    ended++;
  };
  for (int i = 0; i < kAtOnce; i++) again();
  f.record.hold = false;
  const int place = large.outcome.get().place;
  while (ended < kSmall + kAtOnce) std::this_thread::yield();
  // The first, then as many small ones as make its size, then those that waited by then.
  CHECK(place >= 1 + 40 && place <= 1 + 40 + kAtOnce);
}

TEST(scheduler_gives_parts_of_a_list_the_places_of_the_list) {
  Fixture f(1);
  auto first = f.hold();
  const std::vector<Input> one(1, {std::string(64, 'a'), std::nullopt}), ten(10, one[0]);
  std::promise<int> small;
  const auto ask = [&] { f.start(one, WindowedText::kNone, [&] { small.set_value(f.num_answered); }); };
  f.start(ten, WindowedText::kNone, ask);
  std::vector<Fixture::Running> rest;
  for (size_t part = 1; part < 40; part++)
    rest.push_back(f.start(
        ten, WindowedText::kNone, [] {}, part * 10));
  f.record.hold = false;
  // Behind what the thread had taken by then.
  CHECK(small.get_future().get() <= 8);
  for (auto& part : rest) CHECK(!part.outcome.get().failed);
}

TEST(scheduler_fails_only_the_call_at_fault) {
  Fixture f(1);
  f.record.hold = true;
  auto first = f.start(numbered_inputs(1));
  auto bad = f.start({{"fine", std::nullopt}, {"refuse me", std::nullopt}});
  auto good = f.start(numbered_inputs(5));
  f.record.hold = false;
  CHECK(bad.outcome.get().code == ErrorCode::input_invalid);
  check_numbered(good.outcome.get().result, 5);
  check_numbered(first.outcome.get().result, 1);
}

TEST(scheduler_reports_runner_failure_and_lives_on) {
  Fixture f;
  f.record.fail = true;
  CHECK(f.start(numbered_inputs(50)).outcome.get().code == ErrorCode::out_of_memory);
  f.record.fail = false;
  f.record.produce_nan = true;
  const auto outcome = f.start(numbered_inputs(1)).outcome.get();
  CHECK(outcome.code == ErrorCode::weights_not_finite);
  // What names the input elsewhere reads this.
  CHECK(outcome.message.find(" for input 0 ") != std::string::npos);
  f.record.produce_nan = false;
  check_numbered(f.start(numbered_inputs(50)).outcome.get().result, 50);
}

TEST(scheduler_cancel_stops_a_running_call) {
  Fixture f;
  f.record.hold = true;
  auto running = f.start(numbered_inputs(100));
  while (f.record.batches == 0) std::this_thread::yield();
  running.call->cancel();
  CHECK(running.outcome.get().code == ErrorCode::aborted);
  f.record.hold = false;
  check_numbered(f.start(numbered_inputs(10)).outcome.get().result, 10);
}

TEST(scheduler_close_finishes_begun_and_refuses_waiting) {
  Fixture f(1);
  f.record.hold = true;
  auto begun = f.start(numbered_inputs(1));
  while (f.record.batches == 0) std::this_thread::yield();
  auto waiting = f.start(numbered_inputs(4));
  std::thread closer([&] { f.scheduler.close(false); });
  CHECK(waiting.outcome.get().code == ErrorCode::model_disposed);
  f.record.hold = false;
  check_numbered(begun.outcome.get().result, 1);
  closer.join();
  CHECK(f.start(numbered_inputs(1)).outcome.get().code == ErrorCode::model_disposed);
  f.scheduler.close(true);
}

TEST(scheduler_close_can_cancel) {
  Fixture f;
  f.record.hold = true;
  auto running = f.start(numbered_inputs(100));
  while (f.record.batches == 0) std::this_thread::yield();
  f.scheduler.close(true);
  CHECK(running.outcome.get().code == ErrorCode::aborted);
}

TEST(scheduler_empty_call) {
  Fixture f;
  const auto outcome = f.start({}).outcome.get();
  CHECK(!outcome.failed && outcome.result.tokens.empty());
}

}  // namespace enc::test
