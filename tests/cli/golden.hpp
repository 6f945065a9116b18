// Transcript: commands run in-process, held against a file that shows what a person would have seen.
//
//     TEST_CASE("a machine that runs is not reset") {
//       test::TestHost host;
//       Transcript transcript(host, "reset/running");     tests/cli/reset/running.golden
//       transcript.replace(store.path(), "STORE");
//       transcript.run({"--store", store.path(), "reset", "web"});
//       transcript.check();
//     }
//
// With HRVM_UPDATE_GOLDEN=1 in the environment the files are written anew: read the difference before it is committed.
// The host's root is shown as ROOT, unless it is "/".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/test_host.hpp"

namespace hrvm::test {

class Transcript {
 public:
  // `name` is COMMAND/CASE, for a file under tests/cli.
  Transcript(TestHost& host, std::string name);

  // Shows `text` as `shown` from now on: for paths that differ from run to run.
  void replace(std::string text, std::string shown);
  // Runs hrvm with these words and adds what it printed. Gives the exit status.
  int run(const std::vector<std::string>& words);
  // Compares with the file, or writes it.
  void check() const;

  const std::string& text() const { return text_; }

 private:
  std::string normalised(std::string text) const;
  TestHost& host_;
  std::string file_;
  std::vector<std::pair<std::string, std::string>> replacements_;
  std::string text_;
};

// A transcript of one command.
void check_golden(TestHost& host, const std::string& name, const std::vector<std::string>& words);

}  // namespace hrvm::test
