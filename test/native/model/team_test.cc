#include "support/team.h"

#include <atomic>
#include <vector>

#include "check.h"

namespace enc::test {

TEST(team_runs_every_task_once) {
  for (const int helpers : {0, 1, 3}) {
    Team team(helpers);
    CHECK(team.size() == helpers + 1);
    for (int round = 0; round < 2000; round++) {
      std::vector<std::atomic<int>> runs(size_t(round % 17));
      std::atomic<bool> bad_member = false;
      team.run(runs.size(), [&](size_t index, int member) {
        runs[index]++;
        if (member < 0 || member >= team.size()) bad_member = true;
      });
      bool all_once = true;
      for (const auto& count : runs) all_once &= count == 1;
      CHECK(all_once && !bad_member);
    }
  }
}

TEST(team_makes_results_visible_to_the_caller) {
  Team team(2);
  std::vector<int> values(64);
  bool as_written = true;
  for (int round = 0; round < 5000; round++) {
    team.run(values.size(), [&](size_t index, int) { values[index] = round + int(index); });
    for (size_t i = 0; i < values.size(); i++) as_written &= values[i] == round + int(i);
  }
  CHECK(as_written);
}

}  // namespace enc::test
