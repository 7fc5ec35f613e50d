// Scores of distances and segments in the encoder graph, against the same in plain double loops.
#include <functional>
#include <vector>

#include "enc/error.h"
#include "graph_engines.h"

namespace enc::test {

TEST(graph_equals_reference_with_scores_of_distances_and_segments) {
  for (const uint32_t segments : {0u, 1u, 3u}) {
    for (const uint32_t reach : {2u, 40u, 300u}) {
      Shape shape;
      shape.types = segments == 1 ? 2 : 0;
      shape.segments = segments;
      shape.reach = reach;
      shape.layers = reach == 40 ? 1 : 2;
      shape.positions = 256;
      for (const auto& lengths :
           std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {80, 77, 41, 7, 7, 3, 1, 9}})
        check_against_reference(shape, lengths);
    }
  }
}

TEST(scores_of_distances_and_segments_are_refused_where_keys_contradict_each_other) {
  Shape distant;
  distant.types = 0;
  distant.reach = 9;
  distant.segments = 2;
  const auto relative_code = [&](const std::function<void(GgufBuilder&)>& change) {
    RandomModel relative(distant, 1);
    change(relative.builder());
    return code_of(relative);
  };
  CHECK(relative_code([](GgufBuilder&) {}) == ErrorCode::aborted);
  for (const uint32_t sines : {5u, 7u}) {
    distant.sines = sines;
    CHECK(relative_code([](GgufBuilder&) {}) == ErrorCode::gguf_malformed);
  }
  distant.sines = 0;
  CHECK(relative_code([](GgufBuilder& file) { file.u32("ggml_encoder.position_buckets", 4); }) ==
        ErrorCode::architecture_unsupported);
  CHECK(relative_code([](GgufBuilder& file) {
          file.tensor("rel_embd.weight", {12, 20}, std::vector<float>(240));
        }) == ErrorCode::gguf_malformed);
  // Every head scores distances, with keys of its own.
  distant.hidden = 12;
  distant.heads = 2;
  CHECK(relative_code([](GgufBuilder&) {}) == ErrorCode::aborted);
  CHECK(relative_code([](GgufBuilder& file) {
          file.u32("bert.attention.head_count_kv", 1).rewrite([](GgufBuilder::Tensor& tensor) {
            if (tensor.name.find("attn_qkv") == std::string::npos) return;
            tensor.shape.back() = 24;
            tensor.data.resize(tensor.data.size() / 36 * 24);
          });
        }) == ErrorCode::architecture_unsupported);
  // Scores of segments belong to those of distances.
  RandomModel segmented({}, 1);
  segmented.builder().tensor("blk.0.attn_segment.weight", {12, 3}, std::vector<float>(36));
  CHECK(code_of(segmented) == ErrorCode::gguf_malformed);
}

}  // namespace enc::test
