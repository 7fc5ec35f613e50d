#include "environment.h"

#include "enc/error.h"
#include "errors.h"

namespace enc::node {
namespace {

using Holder = std::shared_ptr<Environment>;

}  // namespace

std::shared_ptr<Environment> Environment::create(Napi::Env env) {
  Holder environment(new Environment(env));
  env.SetInstanceData(new Holder(environment));
  // Hooks run last in, first out: registered after the thread-safe function was made, this one runs before
  // Node tears that down, so no thread of ours can still be about to call it.
  env.AddCleanupHook([environment] { environment->shutdown(); });
  return environment;
}

Environment& Environment::of(Napi::Env env) {
  return **env.GetInstanceData<Holder>();
}

Environment::Environment(Napi::Env env) {
  const napi_value name = Napi::String::New(env, "ggml-encoder");
  // What async_hooks show of the queue; tools that look for handles left open (Jest's) ask it as they ask
  // Node's own.
  Napi::Object resource = Napi::Object::New(env);
  resource.Set("hasRef", Napi::Function::New(env, [this](const Napi::CallbackInfo& info) {
                 return Napi::Boolean::New(info.Env(), !pending_.empty());
               }));
  const napi_status status = napi_create_threadsafe_function(env, nullptr, resource, name, 0, 1, nullptr,
                                                             nullptr, nullptr, run_posted, &queue_);
  if (status != napi_ok) throw Napi::Error::New(env, "cannot create the addon's completion queue");
  napi_unref_threadsafe_function(env, queue_);  // alive only while a promise is open
  cancel_job = Napi::Persistent(Napi::Function::New(
      env, [this](const Napi::CallbackInfo& info) { return cancel(info); }, "cancel"));
}

void Environment::run_posted(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Task> task(static_cast<Task*>(data));
  if (env == nullptr) return;  // the environment is being torn down
  const Napi::HandleScope scope(env);
  try {
    (*task)(env);
  } catch (const Napi::Error&) {
    // Settling a promise runs no user code; what fails here is a terminating environment.
  }
}

void Environment::post(std::unique_ptr<Task> task) noexcept {
  const std::lock_guard lock(post_mutex_);
  if (!open_) return;
  if (napi_call_threadsafe_function(queue_, task.get(), napi_tsfn_nonblocking) == napi_ok) task.release();
}

Environment::OpenPromise Environment::open_promise(Napi::Env env, Napi::Object keep_alive) {
  if (closing_)
    throw to_js_error(env,
                      std::make_exception_ptr(Error(ErrorCode::model_disposed, "the process is exiting")));
  const uint64_t id = next_id_++;
  auto deferred = Napi::Promise::Deferred::New(env);
  if (pending_.empty()) napi_ref_threadsafe_function(env, queue_);
  pending_.emplace(
      id,
      Pending{deferred, keep_alive.IsEmpty() ? Napi::ObjectReference() : Napi::Persistent(keep_alive), {}});
  return {id, deferred.Promise()};
}

void Environment::set_job(uint64_t id, const std::shared_ptr<Job>& job) {
  if (const auto found = pending_.find(id); found != pending_.end()) found->second.job = job;
}

Napi::Value Environment::cancel(const Napi::CallbackInfo& info) {
  const Napi::Value id = info.This().As<Napi::Object>().Get("id");
  const auto found = pending_.find(uint64_t(id.ToNumber().Int64Value()));
  if (found != pending_.end()) {
    if (const std::shared_ptr<Job> job = found->second.job.lock()) job->cancel();
  }
  return info.Env().Undefined();
}

void Environment::settle(Napi::Env env, uint64_t id, std::exception_ptr error,
                         const std::function<Napi::Value(Napi::Env)>& result) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending_.empty()) napi_unref_threadsafe_function(env, queue_);
  try {
    if (!error) return pending.deferred.Resolve(result(env));
  } catch (const Napi::Error& failed) {
    return pending.deferred.Reject(failed.Value());
  } catch (...) {
    error = std::current_exception();
  }
  pending.deferred.Reject(to_js_error(env, error).Value());
}

void Environment::run_in_background(std::function<void()> body) {
  join_finished();
  Background& background = background_.emplace_back();
  try {
    background.done = std::make_shared<std::atomic<bool>>(false);
    background.thread = Thread([body = std::move(body), done = background.done] {
      body();
      *done = true;
    });
  } catch (const std::exception& error) {
    // A container's limit on threads, or no memory for one more.
    background_.pop_back();
    throw Error(ErrorCode::out_of_memory, std::string("no thread could be started: ") + error.what());
  }
}

void Environment::join_finished() {
  background_.remove_if([](Background& background) {
    if (!*background.done) return false;
    background.thread.join();
    return true;
  });
}

void Environment::track(const std::shared_ptr<Model>& model) {
  models_.remove_if([](const std::weak_ptr<Model>& known) { return known.expired(); });
  models_.push_back(model);
}

void Environment::shutdown() {
  closing_ = true;
  {
    const std::lock_guard lock(post_mutex_);
    open_ = false;
  }
  for (const std::weak_ptr<Model>& weak : models_) {
    if (const std::shared_ptr<Model> model = weak.lock()) model->close(true);
  }
  models_.clear();
  for (Background& background : background_) background.thread.join();
  background_.clear();
}

}  // namespace enc::node
