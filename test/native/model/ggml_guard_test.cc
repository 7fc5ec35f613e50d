#include "support/ggml_guard.h"

#include <exception>
#include <memory>

#include "check.h"
#include "ggml-cpu.h"
#include "ggml.h"

namespace enc::test {
namespace {

using Context = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

Context context(size_t bytes) {
  return {ggml_init({bytes, nullptr, false}), ggml_free};
}

}  // namespace

TEST(guard_turns_a_failed_assertion_into_an_exception) {
  const Context ctx = context(1 << 20);
  ggml_tensor* a = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, 4, 4);
  ggml_tensor* b = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, 5, 4);
  const GgmlGuard guard;
  for (int i = 0; i < 100; i++) CHECK_THROWS_CODE(ggml_mul_mat(ctx.get(), a, b), ErrorCode::internal);
}

TEST(guard_covers_a_full_context_and_a_bad_index) {
  const GgmlGuard guard;
  const Context small = context(ggml_tensor_overhead() + 64);
  CHECK_THROWS_CODE(ggml_new_tensor_1d(small.get(), GGML_TYPE_F32, 1 << 20), ErrorCode::internal);

  const Context ctx = context(1 << 20);
  ggml_tensor* table = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, 4, 4);
  ggml_tensor* index = ggml_new_tensor_1d(ctx.get(), GGML_TYPE_I32, 1);
  *static_cast<int32_t*>(index->data) = 99;
  ggml_cgraph* graph = ggml_new_graph(ctx.get());
  ggml_build_forward_expand(graph, ggml_get_rows(ctx.get(), table, index));
  CHECK_THROWS_CODE(ggml_graph_compute_with_ctx(ctx.get(), graph, 1), ErrorCode::internal);
}

TEST(loading_ggml_leaves_the_terminate_handler_alone) {
  const std::terminate_handler before = std::get_terminate();
  const Context ctx = context(1 << 16);
  CHECK(std::get_terminate() == before);
#ifdef __GLIBCXX__
  CHECK(before ==
        __gnu_cxx::__verbose_terminate_handler);  // not the one that ggml would install when it is loaded
#endif
}

}  // namespace enc::test
