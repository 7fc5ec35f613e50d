// The k-th allocation of loading a model and of running it fails, for every k: an error with a code each
// time, and the same bits from the next model, or from the same one, afterwards.
#include <cstdio>
#include <cstring>
#include <future>
#include <new>
#include <optional>
#include <thread>

#include "check.h"
#include "enc/error.h"
#include "enc/model.h"
#include "enc/tokenizer.h"
#include "failing_malloc.h"
#include "model/tiny_model.h"

namespace enc::test {
namespace {

struct Answer {
  std::atomic<bool> done = false;
  std::exception_ptr error;
  RunResult result;
};

/// The logits of two inputs, or the error.
std::optional<ErrorCode> ask(Model& model, std::vector<float>& logits, const EncodeOptions& options = {}) {
  try {
    const auto answer = std::make_shared<Answer>();
    std::vector<Input> inputs(2);
    inputs[0].text = "the word a bc";
    inputs[1].text = "a";
    inputs[1].pair = "b b";
    model.run(std::move(inputs), options, [answer](std::exception_ptr error, RunResult result) {
      answer->error = std::move(error);
      answer->result = std::move(result);
      answer->done = true;
      answer->done.notify_all();
    });
    answer->done.wait(false);
    if (answer->error) std::rethrow_exception(answer->error);
    logits = std::move(answer->result.logits);
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    return ErrorCode::out_of_memory;
  }
}

/// What a failed allocation may be reported as. io_failed: glibc's own buffers.
bool is_expected(ErrorCode code) {
  return code == ErrorCode::out_of_memory || code == ErrorCode::model_poisoned ||
         code == ErrorCode::io_failed;
}

std::shared_ptr<Model> load(const std::string& path, KernelChoice kernels,
                            std::optional<ErrorCode>& failure) {
  try {
    LoadOptions options;
    options.threads = 2;
    options.kernels = kernels;
    failure.reset();
    return Model::load(path, options);
  } catch (const Error& error) {
    failure = error.code();
  } catch (const std::bad_alloc&) {
    failure = ErrorCode::out_of_memory;
  }
  return nullptr;
}

/// `more`: how many allocations fail after the first that does.
void check_every_allocation(KernelChoice kernels, size_t more) {
  const TemporaryFile file(tiny_model().build());
  std::optional<ErrorCode> failure;
  std::vector<float> expected, found;
  const auto reference = load(file.path(), kernels, failure);
  CHECK(reference != nullptr && !ask(*reference, expected) && expected.size() == 4);

  size_t loads = 0, runs = 0;
  for (size_t k = 1;; k++) {
    fail_allocation(k, more);
    const auto model = load(file.path(), kernels, failure);
    const bool reached = allocations() >= k;
    fail_allocation(0);
    if (model == nullptr) {
      loads++;
      CHECK(failure && is_expected(*failure));
    } else {
      // Fewer threads than wanted is no failure; the answer must be right all the same.
      CHECK(!ask(*model, found) && found == expected);
    }
    if (!reached) break;
  }
  std::shared_ptr<Model> model;
  for (size_t k = 1; k < 400; k++) {
    if (!model) model = load(file.path(), kernels, failure);
    fail_allocation(k, more);
    const auto error = ask(*model, found);
    fail_allocation(0);
    if (error) {
      runs++;
      CHECK(is_expected(*error));
    }
    const auto again = ask(*model, found);
    if (again == ErrorCode::model_poisoned)
      model.reset();
    else
      CHECK(!again && found == expected);
  }
  CHECK(loads > 100 && runs > 10);
  std::printf("%zu loads and %zu runs failed, each with a code\n", loads, runs);
}

/// A call in windows joins its rows at the end, on the thread that ends it.
void check_windows(size_t more) {
  const TemporaryFile file(tiny_model().build());
  std::optional<ErrorCode> failure;
  auto model = load(file.path(), KernelChoice::kAuto, failure);
  EncodeOptions options;
  options.max_length = 5;
  options.windows = WindowedText::kFirst;
  std::vector<float> expected, found;
  CHECK(model != nullptr && !ask(*model, expected, options) && expected.size() == 6);
  size_t runs = 0;
  for (size_t k = 1; k < 400; k++) {
    if (!model) model = load(file.path(), KernelChoice::kAuto, failure);
    fail_allocation(k, more);
    const auto error = ask(*model, found, options);
    fail_allocation(0);
    if (!error) {
      CHECK(found == expected);
      continue;
    }
    runs++;
    CHECK(is_expected(*error));
    if (ask(*model, found, options) == ErrorCode::model_poisoned) model.reset();
  }
  CHECK(runs > 10);
  std::printf("%zu runs in windows failed, each with a code\n", runs);
}

}  // namespace

TEST(every_allocation_of_a_threads_first_text_fails_once) {
  const auto tokenizer = Tokenizer::from_json(tiny_tokenizer());
  size_t failed = 0;
  for (size_t k = 1; k < 100; k++) {
    bool is_out = false;
    std::thread([&] {
      Encoding encoding;
      fail_allocation(k);
      try {
        tokenizer->encode("the word a bc", std::nullopt, {}, encoding);
      } catch (const std::bad_alloc&) {
        is_out = true;
      }
      fail_allocation(0);
    }).join();
    failed += is_out;
  }
  CHECK(failed > 3);
}

TEST(every_allocation_of_a_run_in_windows_fails_once) {
  check_windows(0);
}

TEST(memory_stays_out_from_every_allocation_of_a_run_in_windows_on) {
  check_windows(3);
}

TEST(every_allocation_of_loading_and_running_with_kernels_fails_once) {
  check_every_allocation(KernelChoice::kAuto, 0);
}

TEST(every_allocation_of_loading_and_running_in_stock_ggml_fails_once) {
  check_every_allocation(KernelChoice::kPortable, 0);
}

TEST(memory_stays_out_for_a_while_from_every_allocation_on) {
  check_every_allocation(KernelChoice::kPortable, 5);
}

}  // namespace enc::test
