// Blocks of queries in the portable graph: each query once, with all the keys that it sees.
#include "graph/attention_blocks.h"

#include "check.h"

namespace enc::test {

TEST(attention_blocks_hold_every_query_once_and_all_that_it_sees) {
  AttentionSpec spec{};
  spec.num_heads = 3;
  for (const size_t max_distance :
       {size_t(0), size_t(1), size_t(64), size_t(4096), LayerAttention::kUnlimited}) {
    for (const bool causal : {false, true}) {
      for (const bool sees_first : {false, true}) {
        spec.max_distance = max_distance, spec.causal = causal, spec.sees_first = sees_first;
        for (const int64_t length : {1, 64, 257, 1500, 9001}) {
          int64_t next_query = 0;
          for (const AttentionBlock& block : attention_blocks(spec, length, 2)) {
            CHECK(block.first_query == next_query && block.num_queries > 0);
            next_query += block.num_queries;
            CHECK(2 * block.num_queries * block.num_columns() * spec.num_heads <= int64_t(1) << 26);
            const int64_t end_key = block.first_key + block.num_keys;
            CHECK(block.first_key >= 0 && end_key <= length);
            const bool holds_first = block.first_key == 0 || block.first_key_apart;
            CHECK(block.key(0) == (block.first_key_apart ? 0 : block.first_key));
            CHECK(block.key(block.num_columns() - 1) == end_key - 1);
            for (int64_t query = block.first_query; query < next_query; query++) {
              if (spec.sees(query, 0)) CHECK(holds_first);
              const auto is_missed = [&](int64_t key) {
                return key > 0 && key < length && spec.sees(query, key) &&
                       (key < block.first_key || key >= end_key);
              };
              // What is seen lies together, so that its ends are enough.
              CHECK(!is_missed(block.first_key - 1) && !is_missed(end_key) && !is_missed(query));
            }
          }
          CHECK(next_query == length);
        }
      }
    }
  }
}

TEST(attention_blocks_of_short_texts_and_single_queries_are_one) {
  AttentionSpec spec{};
  spec.num_heads = 12;
  spec.max_distance = 64;
  CHECK(attention_blocks(spec, 384, 20).size() == 1);
  CHECK(attention_blocks(spec, 385, 1).size() == 2);
  spec.queries = Queries::kPooled;
  CHECK(attention_blocks(spec, 9000, 1).size() == 1);
}

}  // namespace enc::test
