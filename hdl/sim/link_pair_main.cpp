// Runs a pair of ends under Verilator: toggles the clock until the run is over.
//
// The run itself is Verilog (oae_link_pair_top.v). Ctrl-C and SIGTERM end it after the current
// cycle, so that what the trace holds up to there is written. Built with `--trace-fst`, it writes
// the waveform as well; with `+upsets=FILE` it flips the bits that the file lists, in builds that
// can (upsets.h), and says at the end `upsets <what each was before>`.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "../compiled/upsets.h"
#include "Voae_link_pair_top.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace {
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }
constexpr int kInterrupted = 130;

#if VM_TRACE_FST
class Waveform {
 public:
  explicit Waveform(Voae_link_pair_top& top) {
    top.contextp()->traceEverOn(true);
    top.trace(&file_, kAllLevels);
    file_.open("waveform.fst");
  }
  ~Waveform() { file_.close(); }
  void dump(uint64_t time) { file_.dump(time); }

 private:
  static constexpr int kAllLevels = 0;
  VerilatedFstC file_;
};
#else
struct Waveform {
  explicit Waveform(Voae_link_pair_top&) {}
  void dump(uint64_t) {}
};
#endif
}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  const auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  const auto top = std::make_unique<Voae_link_pair_top>(context.get());
  Waveform waveform(*top);
  const std::string argument = context->commandArgsPlusMatch("upsets=");
  std::ifstream file(argument.substr(argument.find('=') + 1));
  std::string list;
  std::getline(file, list);
  oae::Upsets upsets(*context, list);
  top->clk = 0;
  while (!context->gotFinish() && !interrupted) {
    if (!top->clk) upsets.strike();
    top->eval();
    waveform.dump(context->time());
    top->clk = !top->clk;
    context->timeInc(4);
  }
  top->final();
  if (!upsets.found().empty()) std::printf("upsets %s\n", upsets.found().c_str());
  return interrupted ? kInterrupted : 0;
}
