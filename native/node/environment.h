// What one JavaScript environment (main thread or Worker) owns: the way back onto its thread, the promises
// that are open, and the threads that must be gone before it is.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "enc/model.h"

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
  /// `keep_alive` is held until the promise settles.
  OpenPromise open_promise(Napi::Env env, Napi::Object keep_alive);
  void settle(Napi::Env env, uint64_t id, std::exception_ptr error,
              const std::function<Napi::Value(Napi::Env)>& result);

  /// Runs `task` on the JavaScript thread. From any thread; dropped once the environment is closing.
  void post(Task task);

  /// Runs `body`, which is to settle the promise `id`, on a thread of its own that is joined at the latest
  /// when the environment ends. `body` should give up when is_closing(). Throws Error(out_of_memory) when
  /// there is no thread; the promise, which nobody has seen, is then settled.
  void run_in_background(Napi::Env env, uint64_t id, std::function<void()> body);
  /// Settles a promise that nobody has seen: left open it would keep the process from ending.
  void settle_unseen(Napi::Env env, uint64_t id);
  bool is_closing() const noexcept { return closing_; }

  void track(const std::shared_ptr<Model>& model);

  /// Cancels all work and joins all threads. Idempotent; on the JavaScript thread.
  void shutdown();

  Napi::FunctionReference model_constructor;

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference keep_alive;
  };
  struct Background {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> done;
  };

  explicit Environment(Napi::Env env);
  static void run_posted(napi_env env, napi_value, void*, void* task);
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
