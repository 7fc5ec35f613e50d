// What a fault inside ggml does to a model: it is an error of the call, and of every call after it.
#include "model/cpu_runner.h"

#include <limits>

#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "graph/portable_ops.h"
#include "model/model_plan.h"
#include "support/ggml_guard.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

/// Stock operations, with one that breaks ggml's rules when it is told to.
class FaultyOps final : public PortableOps {
 public:
  bool faulty = false;

  ggml_tensor* embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const override {
    ggml_tensor* x = PortableOps::embed(g, tables, ids);
    return faulty ? ggml_mul_mat(g.ggml, ggml_new_tensor_1d(g.ggml, GGML_TYPE_F32, 3), x) : x;
  }
};

Weights load_portable(const GgufFile& file, const Hparams& hparams) {
  ggml_backend_buffer_type_t type = ggml_backend_cpu_buffer_type();
  return load_weights(declare_weights(file, hparams, type, nullptr), file, hparams, type, nullptr,
                      [] { return false; });
}

/// `count` sequences of three tokens.
PackedBatch short_sequences(int32_t count) {
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  for (int32_t b = 1; b <= count; b++) {
    batch.ids.insert(batch.ids.end(), {2, 5, 3});
    batch.type_ids.insert(batch.type_ids.end(), {0, 0, 0});
    batch.positions.insert(batch.positions.end(), {0, 1, 2});
    batch.cu_seqlens.push_back(3 * b);
  }
  return batch;
}

}  // namespace

TEST(a_failed_assertion_poisons_the_model_and_every_thread_sees_it) {
  const TemporaryFile bytes(tiny_model().build());
  const GgufFile file(bytes.path());
  const Hparams hparams = read_hparams(file);
  const Weights weights = load_portable(file, hparams);
  FaultyOps ops;
  Health health;
  Team team(0);
  std::atomic_flag taken;
  const std::function<bool()> helpful = [] { return false; }, never = [] { return false; };
  const auto unlimited = [] { return std::numeric_limits<uint64_t>::max(); };
  CpuRunner first(hparams, weights, ops, TeamLease(team, taken, helpful), health, kMaxBatchTokens, unlimited);
  CpuRunner second(hparams, weights, ops, TeamLease(team, taken, helpful), health, kMaxBatchTokens,
                   unlimited);
  const PackedBatch batch{{2, 5, 3}, {0, 0, 0}, {0, 1, 2}, {0, 3}};

  std::vector<float> before;
  first.run(batch, never, before);
  CHECK(before.size() == 2);
  ops.faulty = true;
  std::vector<float> none;
  CHECK_THROWS_CODE(first.run(batch, never, none), ErrorCode::internal);
  ops.faulty = false;
  CHECK(health.is_poisoned());
  CHECK_THROWS_CODE(first.run(batch, never, none), ErrorCode::model_poisoned);
  CHECK_THROWS_CODE(second.run(batch, never, none), ErrorCode::model_poisoned);
  CHECK(none.empty());
}

TEST(a_batch_beyond_all_so_far_is_run_only_if_memory_is_left) {
  const TemporaryFile bytes(tiny_model().build());
  const GgufFile file(bytes.path());
  const Hparams hparams = read_hparams(file);
  const Weights weights = load_portable(file, hparams);
  const PortableOps ops;
  Health health;
  Team team(0);
  std::atomic_flag taken;
  const std::function<bool()> helpful = [] { return false; }, never = [] { return false; };
  uint64_t left = 0;
  CpuRunner runner(hparams, weights, ops, TeamLease(team, taken, helpful), health, kMaxBatchTokens,
                   [&] { return left; });
  std::vector<float> logits;
  runner.run(short_sequences(170), never, logits);
  CHECK(logits.size() == 340);
  CHECK_THROWS_CODE(runner.run(short_sequences(2000), never, logits), ErrorCode::out_of_memory);
  CHECK(logits.size() == 340 && !health.is_poisoned());
  left = uint64_t(1) << 30;
  runner.run(short_sequences(2000), never, logits);
  CHECK(logits.size() == 4340);
  left = 0;
  runner.run(short_sequences(1999), never, logits);  // what is held is enough
  CHECK(logits.size() == 8338);
}

TEST(a_model_that_keeps_running_out_of_memory_ends) {
  Health health;
  for (int i = 0; i < 15; i++) health.count_abandoned();
  health.require();
  health.count_abandoned();
  CHECK_THROWS_CODE(health.require(), ErrorCode::model_poisoned);
}

}  // namespace enc::test
