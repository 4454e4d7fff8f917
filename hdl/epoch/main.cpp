// Rings of domains on the link's RTL: plays one job after the other (job.h). At each pause it tells the
// state that the software of recovery finds and reads what that decides; in the end it tells the run.
// Every answer is one line of JSON.
#include <iostream>
#include <string>

#include "answer.h"
#include "console.h"
#include "crc_words.h"
#include "job.h"
#include "ring.h"

extern "C" {
unsigned int oae_crc_word(unsigned int crc, unsigned long long word) {
  return oae::crc_word(crc, word);
}
unsigned int oae_crc_record_word(unsigned int crc, unsigned long long word) {
  return oae::crc_record_word(crc, word);
}
}

namespace {

void fail(oae::Console& console, const std::string& error) {
  oae::Answer answer;
  answer.text("error", error);
  console.answer(answer.line());
}

// False if the input ended in the middle of it.
bool play(const oae::Job& job, oae::Console& console) {
  oae::Ring ring(job);
  oae::Numbers goals(job.domains());
  bool is_decided = job.pauses.empty(), is_reached = false;
  while (ring.cycle < job.limit && !is_reached) {
    for (const uint32_t pause : job.pauses) {
      if (pause != ring.cycle) continue;
      oae::Answer state;
      state.numbers("state", ring.state());
      console.answer(state.line());
      std::string line;
      if (!std::getline(std::cin, line)) return false;
      oae::Decision decision;
      if (const std::string error = decision.read(line, job.domains()); !error.empty()) {
        fail(console, error);
        return true;
      }
      ring.take(decision);
      goals = decision.goals;
      is_decided = pause == job.pauses.back();
    }
    ring.step();
    is_reached = is_decided && !job.pauses.empty() && ring.has_reached(goals);
  }
  oae::Answer answer;
  answer.number("cycles", ring.cycle);
  answer.number("reached", uint64_t{is_reached});
  answer.numbers("snapshots", ring.snapshots);
  answer.numbers("final", ring.state());
  answer.numbers("converged", ring.watch.converged);
  answer.number("opened", ring.watch.opened);
  answer.number("delivered", ring.watch.delivered);
  answer.number("crossed", ring.watch.crossed);
  answer.number("refused", ring.watch.refused);
  answer.number("not_prepared", ring.watch.not_prepared);
  answer.texts("findings", ring.watch.findings);
  answer.texts("assertions", console.lines("ASSERTION"));
  console.answer(answer.line());
  return true;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  oae::Console console;
  for (std::string line; std::getline(std::cin, line);) {
    oae::Job job;
    if (const std::string error = job.read(line); !error.empty()) fail(console, error);
    else if (!play(job, console)) return 0;
  }
}
