// Runs a pair of ends under Verilator: toggles the clock until the run is over.
//
// The run itself is Verilog (oae_link_pair_top.v). Ctrl-C and SIGTERM end it after the current
// cycle, so that what the trace holds up to there is written.
#include <csignal>
#include <cstdint>
#include <memory>

#include "Voae_link_pair_top.h"
#include "verilated.h"

namespace {
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }
constexpr int kInterrupted = 130;
}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  const auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  const auto top = std::make_unique<Voae_link_pair_top>(context.get());
  top->clk = 0;
  while (!context->gotFinish() && !interrupted) {
    top->eval();
    top->clk = !top->clk;
    context->timeInc(4);
  }
  top->final();
  return interrupted ? kInterrupted : 0;
}
