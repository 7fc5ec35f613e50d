// The native test harness: TEST(name) registers, CHECK records a failure and goes on. test/native.test.ts
// runs each test of the enc_tests program as a test of its own.
#pragma once

#include <cstdio>
#include <vector>

namespace enc::test {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& all_tests() {
  static std::vector<Test> tests;
  return tests;
}

inline int& failure_count() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*run)()) { all_tests().push_back({name, run}); }
};

inline void fail(const char* file, int line, const char* expression) {
  failure_count()++;
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
}

}  // namespace enc::test

#define TEST(name)                                                          \
  static void test_##name();                                                \
  static ::enc::test::Registration registration_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(expression) ((expression) ? (void)0 : ::enc::test::fail(__FILE__, __LINE__, #expression))

/// Passes when `statement` throws enc::Error with the given code.
#define CHECK_THROWS_CODE(statement, expected_code)                                                       \
  do {                                                                                                    \
    bool thrown_as_expected = false;                                                                      \
    try {                                                                                                 \
      statement;                                                                                          \
    } catch (const ::enc::Error& error) {                                                                 \
      thrown_as_expected = error.code() == (expected_code);                                               \
      if (!thrown_as_expected) std::fprintf(stderr, "got: %s\n", error.what());                           \
    }                                                                                                     \
    if (!thrown_as_expected) ::enc::test::fail(__FILE__, __LINE__, #statement " throws " #expected_code); \
  } while (0)
