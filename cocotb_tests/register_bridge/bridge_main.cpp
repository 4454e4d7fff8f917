// A register bridge under Verilator as a filter: takes bytes, gives what the bridge answers to them.
//
// Input, again and again: how many bytes (4 bytes, little-endian), and these. Output for each: how many
// requests were executed, dropped and repeated so far, how many bytes of answers (4 bytes each), and
// these. The bridge has come to rest then; one that does not is told as an error.
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "Voae_bridge_registers.h"
#include "verilated.h"

namespace {
constexpr int kHanging = 10000;  // cycles without a byte taken or given

class Bridge {
 public:
  Bridge() {
    top_.m_serial_tready = 1;
    top_.rst = 1;
    cycle();
    top_.rst = 0;
    top_.eval();
  }

  // False if it hangs.
  bool exchange(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) {
    size_t taken = 0;
    for (int idle = 0; idle < kHanging; ++idle) {
      top_.s_serial_tvalid = taken < in.size();
      if (top_.s_serial_tvalid) top_.s_serial_tdata = in[taken];
      top_.eval();
      if (!top_.s_serial_tvalid && top_.quiet) return true;
      if (top_.s_serial_tvalid && top_.s_serial_tready) {
        ++taken;
        idle = 0;
      }
      if (top_.m_serial_tvalid) {
        out.push_back(top_.m_serial_tdata);
        idle = 0;
      }
      cycle();
    }
    return false;
  }

  std::array<uint32_t, 3> counters() const { return {top_.frames, top_.rejected, top_.repeated}; }

 private:
  void cycle() {
    top_.clk = 1;
    top_.eval();
    top_.clk = 0;
    top_.eval();
  }

  Voae_bridge_registers top_;
};
}  // namespace

int main() {
  Bridge bridge;
  uint32_t size;
  while (std::fread(&size, sizeof size, 1, stdin) == 1) {
    std::vector<uint8_t> in(size), out;
    if (std::fread(in.data(), 1, size, stdin) != size) break;
    if (!bridge.exchange(in, out)) {
      std::fputs("the bridge hangs\n", stderr);
      return 1;
    }
    const auto counters = bridge.counters();
    const uint32_t given = out.size();
    std::fwrite(counters.data(), sizeof counters, 1, stdout);
    std::fwrite(&given, sizeof given, 1, stdout);
    std::fwrite(out.data(), 1, given, stdout);
    std::fflush(stdout);
  }
}
