// The compiled engine: plays one schedule after the other on a pair of ends (job.h) and answers each
// with a line of JSON. Every run has a new model and a new checker, which judges while it runs.
#include <ctime>
#include <iostream>
#include <memory>

#include "Voae_link_pair_top.h"
#include "answer.h"
#include "calls.h"
#include "console.h"
#include "job.h"
#include "upsets.h"
#include "verilated.h"
#include "waveform.h"

namespace {

// Plays the job; false if not all of its trace could be written.
bool play(const oae::Job& job, oae::Observed& observed) {
  oae::observed = &observed;
  observed.wait_for(job.schedule.fates());
  oae::schedule = &job.schedule;
  VerilatedContext context;
  oae::Waveform waveform(context);
  Voae_link_pair_top top(&context);
  waveform.of(top, job);
  oae::Upsets upsets(context, job.upsets);
  while (!context.gotFinish() && !(job.ends_at_finding && observed.feed.has_finding())) {
    top.clk = !top.clk;
    if (!top.clk) upsets.strike();
    top.eval();
    waveform.dump(observed.cycle);
    context.timeInc(4);
  }
  top.final();
  observed.upsets = upsets.found();
  observed.feed.finish();
  return !observed.text || observed.text->close();
}

std::string answer(const oae::Job& job, oae::Console& console) {
  oae::Answer answer;
  const std::clock_t start = std::clock();  // processor time
  const auto observed = std::make_unique<oae::Observed>();
  if (job.is_hashed || !job.trace.empty()) observed->text.emplace(job.trace, job.is_hashed);
  if (!job.error.empty() || !play(job, *observed)) {
    answer.text("error", job.error.empty() ? job.trace + ": cannot be written" : job.error);
    return answer.line();
  }
  const std::clock_t taken = std::clock() - start;
  const oae::Checker& checker = observed->feed.checker();
  const oae::Findings& findings = checker.book().findings;
  const oae::Summary summary = checker.summary();
  answer.text("stop", observed->stop);
  answer.number("cycles", observed->stop.empty() ? observed->cycle : observed->stopped_at);
  answer.number("seconds", static_cast<double>(taken) / CLOCKS_PER_SEC);
  answer.text("sha256", observed->text ? observed->text->sha256() : "");
  answer.numbers("faults", observed->faults);
  answer.numbers("rules", observed->rules);
  answer.numbers("fired", observed->fired);
  answer.numbers("left", observed->left);
  answer.numbers("cuts", observed->cuts);
  answer.text("upsets", observed->upsets);
  answer.numbers("registers.a", observed->registers[0]);
  answer.numbers("registers.b", observed->registers[1]);
  answer.texts("assertions", console.lines("ASSERTION"));
  answer.rows("summary", &summary, 1);
  answer.rows("findings", findings.kept.data(), findings.kept.size());
  answer.rows("unknowns", findings.unknown.data(), findings.unknown.size());
  answer.rows("bench_errors", findings.bench.data(), findings.bench.size());
  return answer.line();
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  oae::Console console;
  for (;;) {
    oae::Job job;
    if (!job.read(std::cin)) return 0;
    console.answer(answer(job, console));
  }
}
