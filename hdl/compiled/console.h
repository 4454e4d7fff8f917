// What the Verilog prints ($display) during a run. Standard output itself is for the answers.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace oae {

class Console {
 public:
  Console() : answers_(fdopen(dup(STDOUT_FILENO), "w")), printed_(std::tmpfile()) {
    if (!answers_ || !printed_ || dup2(fileno(printed_), STDOUT_FILENO) < 0) {
      std::perror("oae: no temporary file");
      std::exit(EXIT_FAILURE);
    }
  }

  void answer(const std::string& line) {
    std::fputs(line.c_str(), answers_);
    std::fflush(answers_);
  }

  // The lines of the last run that begin like this.
  std::vector<std::string> lines(std::string_view beginning) {
    std::fflush(stdout);
    std::vector<std::string> found;
    std::rewind(printed_);
    char line[1024];
    while (std::fgets(line, sizeof line, printed_)) {
      std::string_view text(line);
      if (!text.starts_with(beginning) || found.size() == kMost) continue;
      if (text.ends_with('\n')) text.remove_suffix(1);
      found.emplace_back(text);
    }
    std::rewind(printed_);
    if (ftruncate(fileno(printed_), 0)) std::perror("oae: temporary file");
    return found;
  }

 private:
  static constexpr size_t kMost = 100;
  std::FILE* answers_;
  std::FILE* printed_;
};

}  // namespace oae
