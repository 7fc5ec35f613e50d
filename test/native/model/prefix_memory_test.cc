// What is remembered of the beginnings of texts, and what is forgotten.
#include "batch/prefix_memory.h"

#include <numeric>
#include <thread>

#include "check.h"

namespace enc::test {
namespace {

using Ids = std::vector<int32_t>;

/// Two layers of three columns: 48 bytes a token.
PrefixMemory::Options options(size_t tokens, uint64_t left = UINT64_MAX) {
  return {2, 3, 1000, 48 * tokens, [left] { return left; }};
}

/// `shared` tokens that begin with `first`, and behind them ones of `own` alone.
Ids text(int32_t first, size_t shared, int32_t own = 0, size_t more = 0) {
  Ids ids(shared + more, 100'000 + own);
  std::iota(ids.begin(), ids.begin() + ptrdiff_t(shared), first);
  return ids;
}

/// What note() gives room for, remembered.
size_t remember(PrefixMemory& memory, const Ids& ids) {
  const auto states = memory.note(ids);
  if (!states) return 0;
  memory.remember(states);
  return states->ids().size();
}

}  // namespace

TEST(a_beginning_is_remembered_when_it_comes_again) {
  PrefixMemory memory(options(1000));
  CHECK(!memory.find(text(0, 100)).states);
  CHECK(remember(memory, text(0, 100, 1, 20)) == 0);
  CHECK(remember(memory, text(0, 100, 2, 20)) == 100);
  CHECK(memory.find(text(0, 100, 3, 20)).tokens == 100);
  CHECK(memory.find(text(0, 60)).tokens == 60);
  CHECK(memory.find(text(0, 20)).tokens == 0);
  CHECK(!memory.find(text(1, 100)).states);
  CHECK(remember(memory, text(0, 100, 4, 20)) == 0);
  // Many tokens more are worth it.
  CHECK(remember(memory, text(0, 200)) == 0);
  CHECK(remember(memory, text(0, 200, 5, 20)) == 200);
  CHECK(memory.find(text(0, 200)).tokens == 200);
}

TEST(short_beginnings_and_long_ones_are_not_remembered_whole) {
  PrefixMemory memory(options(5000));
  for (int i = 0; i < 3; i++) CHECK(remember(memory, text(0, 31, i, 50)) == 0);
  CHECK(remember(memory, text(500, 2000)) == 0);
  CHECK(remember(memory, text(500, 2000)) == 1000);
  CHECK(remember(memory, {}) == 0);
}

TEST(what_was_of_use_longest_ago_is_forgotten) {
  PrefixMemory memory(options(250));
  for (const int32_t first : {0, 1000, 2000}) {
    CHECK(remember(memory, text(first, 100)) == 0);
    CHECK(remember(memory, text(first, 100)) == 100);
    if (first > 0) CHECK(memory.find(text(0, 100)).tokens == 100);
  }
  CHECK(!memory.find(text(1000, 100)).states);
  CHECK(memory.find(text(2000, 100)).tokens == 100);
  // What is in use lives on.
  const Remembered held = memory.find(text(0, 100));
  for (const int32_t first : {3000, 4000, 5000}) {
    remember(memory, text(first, 100));
    remember(memory, text(first, 100));
  }
  CHECK(!memory.find(text(0, 100)).states);
  CHECK(held.states->ids().size() == 100);
}

TEST(nothing_is_remembered_without_room_for_it) {
  PrefixMemory small(options(99));
  PrefixMemory full(options(1000, 4 * 48 * 100 - 1));
  for (int i = 0; i < 3; i++) {
    CHECK(remember(small, text(0, 100)) == 0);
    CHECK(remember(full, text(0, 100)) == 0);
  }
  PrefixMemory enough(options(1000, 4 * 48 * 100));
  remember(enough, text(0, 100));
  CHECK(remember(enough, text(0, 100)) == 100);
}

TEST(the_same_from_two_threads_is_remembered_once_and_a_part_of_it_not_at_all) {
  PrefixMemory memory(options(1000));
  memory.note(text(0, 100));
  const auto first = memory.note(text(0, 100)), second = memory.note(text(0, 100));
  CHECK(first && second);
  memory.remember(first);
  memory.remember(second);
  CHECK(memory.find(text(0, 100)).states == second);
  CHECK(first.use_count() == 1);
}

TEST(rows_of_layers_do_not_overlap) {
  const KeyValues states(text(0, 5), 2, 3);
  const float* const first = states.keys(0);
  CHECK(states.values(0) == first + 15 && states.keys(1) == first + 30 && states.values(1) == first + 45);
}

TEST(threads_may_remember_and_find_at_once) {
  PrefixMemory memory(options(300));
  std::vector<std::thread> threads;
  for (int32_t t = 0; t < 4; t++) {
    threads.emplace_back([&memory, t] {
      for (int32_t i = 0; i < 500; i++) {
        const Ids ids = text((t + i) % 6 * 1000, 64, t, 4);
        const Remembered found = memory.find(ids);
        if (found.states)
          CHECK(std::equal(ids.begin(), ids.begin() + ptrdiff_t(found.tokens), found.states->ids().begin()));
        remember(memory, ids);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace enc::test
