// Takes the place of malloc and its like inside ggml-base (linked with --wrap), where many results are used without
// a look. A small allocation that fails goes through ggml_abort, whose callback (support/ggml_guard) throws; a large
// one, a tensor buffer, comes back as NULL, which ggml handles.
#include <errno.h>
#include <stdlib.h>

#include "ggml.h"

void * __real_malloc(size_t size);
void * __real_calloc(size_t count, size_t size);
void * __real_realloc(void * old, size_t size);

static void fail(size_t size) {
    ggml_abort("ggml", 0, "out of memory (%zu bytes)", size);
}

void * __wrap_malloc(size_t size) {
    void * result = __real_malloc(size);
    if (result == NULL && size > 0) fail(size);
    return result;
}

void * __wrap_calloc(size_t count, size_t size) {
    void * result = __real_calloc(count, size);
    if (result == NULL && count > 0 && size > 0) fail(count * size);
    return result;
}

void * __wrap_realloc(void * old, size_t size) {
    void * result = __real_realloc(old, size);
    if (result == NULL && size > 0) fail(size);
    return result;
}

#ifndef _WIN32
/// Thread pools and tables are far below; buffers that are not are as well refused by throwing.
static const size_t LARGE_BYTES = 64 * 1024;

int __real_posix_memalign(void ** result, size_t alignment, size_t size);

int __wrap_posix_memalign(void ** result, size_t alignment, size_t size) {
    const int status = __real_posix_memalign(result, alignment, size);
    if (status == ENOMEM && size < LARGE_BYTES) fail(size);
    return status;
}
#endif
