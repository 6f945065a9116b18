#include "cli/golden.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "hrvm/base/text.hpp"
#include "hrvm/cli/command.hpp"

namespace hrvm::test {

static std::string read(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

static void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

static bool updating() { return std::getenv("HRVM_UPDATE_GOLDEN") != nullptr; }

Transcript::Transcript(TestHost& host, std::string name)
    : host_(host), file_(HRVM_SOURCE_DIR "/tests/cli/" + std::move(name) + ".golden") {
  if (host.host().root != "/") replace(host.host().root, "ROOT");
}

void Transcript::replace(std::string text, std::string shown) {
  replacements_.emplace_back(std::move(text), std::move(shown));
}

std::string Transcript::normalised(std::string text) const {
  for (const auto& [from, to] : replacements_) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

int Transcript::run(const std::vector<std::string>& words) {
  host_.out.str("");
  host_.err.str("");
  const int status = cli::run(host_.host(), words);
  text_ += normalised("$ hrvm " + base::shell_quote(words) + "\n" + host_.out.str());
  if (!host_.err.str().empty()) text_ += "--- stderr\n" + normalised(host_.err.str());
  if (status != 0) text_ += "--- exit " + std::to_string(status) + "\n";
  return status;
}

void Transcript::check() const {
  if (updating()) write(file_, text_);
  INFO("transcript of " << file_ << " (HRVM_UPDATE_GOLDEN=1 writes it anew)");
  CHECK(text_ == read(file_));
}

void check_golden(TestHost& host, const std::string& name, const std::vector<std::string>& words) {
  Transcript transcript(host, name);
  transcript.run(words);
  transcript.check();
}

}  // namespace hrvm::test
