// One job of the compiled engine: a line of words apart by tabs, `key` or `key=value`, and after it the
// words of the schedule, lowest byte first.
//
//   words=N              the schedule has so many words (always the first)
//   made.a=COUNT,L,M     chance makes so many records of L to M bytes for end a; made.b the same
//   sha256               the hash of the trace is wanted
//   trace=PATH           the trace is to be written
//   first                the run ends at the first finding
//   waveform=PATH,F,T    the waveform from cycle F to cycle T (builds with a waveform only)
//   upsets=LIST          bits to flip, as in upsets.h (builds with upsets only)
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <istream>
#include <sstream>
#include <string>
#include <vector>

#include "schedule.h"

namespace oae {

struct Job {
  Schedule schedule;
  std::string trace, waveform, upsets;
  uint64_t waveform_from = 0, waveform_to = 0;
  bool is_hashed = false, ends_at_finding = false;
  std::string error;  // what is wrong with it

  // False if there is none any more.
  bool read(std::istream& input) {
    std::string line;
    if (!std::getline(input, line)) return false;
    Schedule::Made made[Schedule::kEnds];
    std::vector<uint64_t> words;
    std::istringstream options(line);
    for (std::string option; std::getline(options, option, '\t');) {
      const std::string key = option.substr(0, option.find('='));
      const std::string value = option.substr(std::min(key.size() + 1, option.size()));
      if (key == "words") words.resize(std::strtoull(value.c_str(), nullptr, 10));
      else if (key == "made.a") read_made(value, made[0]);
      else if (key == "made.b") read_made(value, made[1]);
      else if (key == "sha256") is_hashed = true;
      else if (key == "trace") trace = value;
      else if (key == "first") ends_at_finding = true;
      else if (key == "waveform") read_waveform(value);
      else if (key == "upsets") upsets = value;
      else error = "no option " + key;
    }
    const auto size = static_cast<std::streamsize>(8 * words.size());
    if (!input.read(reinterpret_cast<char*>(words.data()), size)) return false;
    if (error.empty()) error = schedule.take(std::move(words), made);
    return true;
  }

 private:
  void read_made(const std::string& value, Schedule::Made& made) {
    if (std::sscanf(value.c_str(), "%u,%u,%u", &made.count, &made.least, &made.most) != 3)
      error = "not COUNT,LEAST,MOST: " + value;
  }
  // The path comes first and may have commas.
  void read_waveform(const std::string& value) {
    const size_t last = value.rfind(','), first = last ? value.rfind(',', last - 1) : last;
    if (first == std::string::npos) {
      error = "not PATH,FROM,TO: " + value;
      return;
    }
    waveform = value.substr(0, first);
    waveform_from = std::strtoull(value.c_str() + first + 1, nullptr, 10);
    waveform_to = std::strtoull(value.c_str() + last + 1, nullptr, 10);
  }
};

}  // namespace oae
