// A domain and its two ends as Verilog, with the names of their ports by link: 0 leads to the domain
// before, 1 to the one after.
#pragma once
#include <cstdint>

#include "Voae_epoch_node.h"
#include "medium.h"

namespace oae {

class Node {
 public:
  static constexpr int kLinks = 2;

  explicit Node(VerilatedContext& context) : top_(&context) {
    top_.m_axis_tready = 3;
    top_.rst = 1;
  }

  Voae_epoch_node& top() { return top_; }

  void edge() {
    top_.clk = 1;
    top_.eval();
    top_.clk = 0;
  }
  void settle() { top_.eval(); }

  Beat sent(int link) const {
    return {word(top_.m_axis_tdata, link), static_cast<uint8_t>(top_.m_axis_tkeep >> 8 * link),
            bit(top_.m_axis_tvalid, link), bit(top_.m_axis_tlast, link), bit(top_.m_axis_tuser, link)};
  }
  void receive(int link, const Beat& beat) {
    top_.s_axis_tdata[2 * link] = static_cast<uint32_t>(beat.data);
    top_.s_axis_tdata[2 * link + 1] = static_cast<uint32_t>(beat.data >> 32);
    const int shift = 8 * link;
    top_.s_axis_tkeep =
        static_cast<uint16_t>((top_.s_axis_tkeep & ~(0xff << shift)) | beat.keep << shift);
    put(top_.s_axis_tvalid, link, beat.is_valid);
    put(top_.s_axis_tlast, link, beat.is_last);
    put(top_.s_axis_tuser, link, beat.is_bad);
  }
  bool is_ready(int link) const { return bit(top_.s_axis_tready, link); }

  void session(int link, uint64_t session) {
    top_.cfg_session[2 * link] = static_cast<uint32_t>(session);
    top_.cfg_session[2 * link + 1] = static_cast<uint32_t>(session >> 32);
  }
  uint32_t epoch(int link) const { return static_cast<uint32_t>(top_.end_epoch >> 32 * link); }
  uint32_t converged(int link) const { return static_cast<uint32_t>(top_.end_converged >> 32 * link); }

  // A step of a lane, as an event word; 0 if there was none.
  uint64_t initiator(int link) const {
    return bit(top_.initiator_valid, link) ? word(top_.initiator_word, link) : 0;
  }
  uint64_t responder(int link) const {
    return bit(top_.responder_valid, link) ? word(top_.responder_word, link) : 0;
  }

 private:
  template <class Bits>
  static bool bit(Bits bits, int link) {
    return bits >> link & 1;
  }
  template <class Bits>
  static void put(Bits& bits, int link, bool value) {
    bits = static_cast<Bits>((bits & ~(1 << link)) | value << link);
  }
  template <class Words>
  static uint64_t word(const Words& words, int link) {
    return words[2 * link] | uint64_t{words[2 * link + 1]} << 32;
  }

  Voae_epoch_node top_;
};

}  // namespace oae
