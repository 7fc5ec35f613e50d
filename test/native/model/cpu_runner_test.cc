// What a fault inside ggml does to a model: it is an error of the call, and of every call after it.
#include "model/cpu_runner.h"

#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "graph/portable_ops.h"
#include "support/ggml_guard.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

/// Stock operations, with one that breaks ggml's rules when it is told to.
class FaultyOps final : public PortableOps {
 public:
  bool faulty = false;

  ggml_tensor* embed(GraphContext& g, const Hparams& hparams, const Weights& weights) const override {
    ggml_tensor* x = PortableOps::embed(g, hparams, weights);
    return faulty ? ggml_mul_mat(g.ggml, ggml_new_tensor_1d(g.ggml, GGML_TYPE_F32, 3), x) : x;
  }
};

}  // namespace

TEST(a_failed_assertion_poisons_the_model_and_every_thread_sees_it) {
  const TemporaryFile bytes(tiny_model().build());
  const GgufFile file(bytes.path());
  const Hparams hparams = read_hparams(file);
  const Weights weights =
      load_weights(file, hparams, ggml_backend_cpu_buffer_type(), nullptr, [] { return false; });
  FaultyOps ops;
  Health health;
  Team team(0);
  std::atomic_flag taken;
  const std::function<bool()> helpful = [] { return false; }, never = [] { return false; };
  CpuRunner first(hparams, weights, ops, TeamLease(team, taken, helpful), health);
  CpuRunner second(hparams, weights, ops, TeamLease(team, taken, helpful), health);
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

TEST(a_model_that_keeps_running_out_of_memory_ends) {
  Health health;
  for (int i = 0; i < 15; i++) health.count_abandoned();
  health.require();
  health.count_abandoned();
  CHECK_THROWS_CODE(health.require(), ErrorCode::model_poisoned);
}

}  // namespace enc::test
