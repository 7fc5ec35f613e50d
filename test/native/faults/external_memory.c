/* An addon of one function: the bytes that V8 has been told of beside its own. Node-API, declared by hand. */
#include <stddef.h>
#include <stdint.h>

typedef void *env, *value, *callback_info;
typedef value (*callback)(env, callback_info);

int napi_adjust_external_memory(env, int64_t change, int64_t* total);
int napi_create_double(env, double, value*);
int napi_create_function(env, const char*, size_t, callback, void*, value*);

static value external_memory(env e, callback_info info) {
  (void)info;
  int64_t bytes = 0;
  value result = NULL;
  napi_adjust_external_memory(e, 0, &bytes);
  napi_create_double(e, (double)bytes, &result);
  return result;
}

value napi_register_module_v1(env e, value exports) {
  napi_create_function(e, NULL, 0, external_memory, NULL, &exports);
  return exports;
}
