// The JavaScript object around enc::Model.
#pragma once

#include <napi.h>

#include <memory>

#include "enc/model.h"

namespace enc::node {

class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  /// loadModel(path, options): NativeJob<NativeModel>
  static Napi::Value load(const Napi::CallbackInfo& info);
  /// estimateMemory(path, options, maxLength): Promise<NativeMemoryEstimate>
  static Napi::Value estimate(const Napi::CallbackInfo& info);

  /// Called with an External<std::shared_ptr<Model>>, by load() alone.
  explicit ModelWrap(const Napi::CallbackInfo& info);
  ~ModelWrap() override;
  /// Called when the object has been collected, before it is destroyed.
  void Finalize(Napi::BasicEnv env) override;

 private:
  template <typename Result, typename Submit>
  Napi::Value start(const Napi::CallbackInfo& info, const Submit& submit);
  Napi::Value get_info(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value tokenize(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  void release_memory(Napi::BasicEnv env);

  std::shared_ptr<Model> model_;
  int64_t accounted_bytes_ = 0;
};

}  // namespace enc::node
