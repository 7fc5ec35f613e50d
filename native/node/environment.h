// What one JavaScript environment (main thread or Worker) owns: the way back onto its thread, the promises
// that are open, and the threads that must be gone before it is.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "enc/model.h"
#include "enc/thread.h"

namespace enc::node {

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  using Task = std::function<void(Napi::Env)>;

  static std::shared_ptr<Environment> create(Napi::Env env);
  static Environment& of(Napi::Env env);

  /// A promise kept on the JavaScript thread under a number, so that no other thread ever touches a
  /// JavaScript handle.
  struct OpenPromise {
    uint64_t id;
    Napi::Promise promise;
  };
  /// Opens a promise and returns what `start(promise)` returns, which starts the work that settles it. Where
  /// that throws the promise, which nobody has seen, is settled: left open it would keep the process from
  /// ending. `keep_alive` is held until the promise settles.
  template <typename Start>
  Napi::Value promise(Napi::Env env, Napi::Object keep_alive, const Start& start) {
    const OpenPromise opened = open_promise(env, keep_alive);
    try {
      return start(opened);
    } catch (...) {
      settle(env, opened.id, nullptr, [](Napi::Env e) { return e.Undefined(); });
      throw;
    }
  }
  /// What cancel() of the promise `id` cancels while it is open.
  void set_job(uint64_t id, const std::shared_ptr<Job>& job);
  void settle(Napi::Env env, uint64_t id, std::exception_ptr error,
              const std::function<Napi::Value(Napi::Env)>& result);

  /// Runs `task` on the JavaScript thread. From any thread, without memory of its own; dropped once the
  /// environment is closing.
  void post(std::unique_ptr<Task> task) noexcept;

  /// Runs `body`, which must not throw, on a thread of its own that is joined at the latest when the
  /// environment ends. `body` should give up when is_closing(). Throws Error(out_of_memory) when there is no
  /// thread.
  void run_in_background(std::function<void()> body);
  bool is_closing() const noexcept { return closing_; }

  void track(const std::shared_ptr<Model>& model);

  /// Cancels all work and joins all threads. Idempotent; on the JavaScript thread.
  void shutdown();

  Napi::FunctionReference model_constructor;
  /// The method of all jobs: cancels the one whose `id` `this` has. One for all of them, since a function
  /// takes longer to make and to collect than all else of a call.
  Napi::FunctionReference cancel_job;

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference keep_alive;
    std::weak_ptr<Job> job;
  };
  struct Background {
    Thread thread;
    std::shared_ptr<std::atomic<bool>> done;
  };

  explicit Environment(Napi::Env env);
  OpenPromise open_promise(Napi::Env env, Napi::Object keep_alive);
  static void run_posted(napi_env env, napi_value, void*, void* task);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  void join_finished();

  napi_threadsafe_function queue_ = nullptr;
  std::mutex post_mutex_;
  bool open_ = true;  // guarded by post_mutex_: queue_ may be called
  std::atomic<bool> closing_ = false;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Pending> pending_;
  std::list<Background> background_;
  std::list<std::weak_ptr<Model>> models_;
};

}  // namespace enc::node
