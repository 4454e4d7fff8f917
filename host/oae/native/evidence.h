// Judges a run by its evidence packets (docs/tables.md): every promise that oae.check.scoreboard
// judges by a trace, with the same meaning. What stands before a gap is not compared with what stands
// after it. Here the packets are read; what they tell is judged in ports.h (handshakes of the host),
// initiator.h, responder.h, bench.h (what is done to the ends, and the end of the run) and fit.h.
#pragma once
#include <cmath>
#include <string>

#include "bench.h"
#include "counters.h"
#include "fit.h"
#include "initiator.h"
#include "responder.h"

namespace oae {

constexpr size_t kParameters = 64;

class EvidenceJudge {
 public:
  uint64_t packets = 0, gaps = 0;
  bool ended = false;  // END was the last
  std::vector<std::string> parameters;

  EvidenceJudge(Book& book, Wire& wire, Fit& fit) : run_(book, wire), fit_(fit) {
    parameters.reserve(kParameters);
  }

  bool whole() const { return packets != 0 && run_.torn == 0; }
  const EndCounts& counts(int end) const { return run_.counts[end]; }
  const std::string& stop() const { return bench_.stop; }
  uint64_t stop_packet() const { return bench_.stop_packet; }
  const std::vector<EndState>& states() const { return bench_.states; }
  const std::vector<FrameFault>& frame_faults() const { return bench_.frame_faults; }

  // The first packet of a run, though there was evidence before.
  bool begins_anew(const uint8_t* bytes, uint32_t captured) const {
    return packets && next_ != 0 && is_parameter(bytes, captured) && big32(bytes + 4) == 0;
  }
  static bool is_parameter(const uint8_t* bytes, uint32_t captured) {
    return captured >= kHead && bytes[0] == 1 &&
           bytes[1] == static_cast<uint8_t>(Evidence::PARAMETER);
  }

  void restart() {
    if (!ended) ++gaps;  // the run before was cut off
    finish();
    run_.restart();
    bench_.restart();
    counters_ = Counters{};
    parameters.clear();
    ended = has_stepped_ = false;
    next_ = 0;
    cycle_ns_ = 0;
  }

  // `altered(end, number)`: the medium says that it changed this frame. `resolution`: of the time stamp,
  // in nanoseconds; 0: there is none.
  template <class Altered>
  void take(const uint8_t* bytes, uint32_t captured, uint32_t original, Place place,
            uint32_t resolution, Altered altered) {
    ++packets;
    ended = false;
    const uint8_t type = captured >= kHead ? bytes[1] : 255;
    const uint32_t sequence = captured >= kHead ? big32(bytes + 4) : 0;
    const bool readable = type <= kTypes && bytes[0] == 1 && captured >= kLeast[type] &&
                          (bytes[2] < 2 || kOfBench >> type & 1);
    const uint64_t cycle = readable ? big64(bytes + 8) : ~0ull;
    if (!readable || sequence != next_) {
      ++gaps;
      // The parameters come first, and of a cycle its inputs and outputs before its steps.
      const bool is_before_all = readable && cycle == 0 && kAtFirst >> type & 1 && !has_stepped_;
      if (!is_before_all) run_.gap(cycle);
    }
    if (!readable) {
      next_ = ~0u;  // what it was is not known, so nothing can follow it without a gap
      return;
    }
    next_ = sequence + 1;
    if (packets > 1 && cycle < run_.now.cycle && sequence)
      run_.book.findings.bench_error(place, "evidence of cycle %llu stands after that of cycle %llu",
                                     static_cast<unsigned long long>(cycle),
                                     static_cast<unsigned long long>(run_.now.cycle));
    const uint8_t* fields = bytes + kHead;
    run_.now = {place, cycle, static_cast<uint8_t>(bytes[2] & 1), original - captured};
    if (resolution) on_time(resolution);
    const uint8_t at = run_.now.end;
    const auto text = [&] { return std::string(reinterpret_cast<const char*>(fields), captured - kHead); };
    switch (static_cast<Evidence>(type)) {
      case Evidence::PARAMETER:
        return parameter(text());
      case Evidence::STEP:
        has_stepped_ = true;
        return step(big64(fields));
      case Evidence::SUBMIT:
        return ports_.submitted(fields, captured - kLeast[type]);
      case Evidence::DELIVER:
        return ports_.delivered(fields, captured - kLeast[type]);
      case Evidence::COMPLETE:
        return ports_.completed(fields);
      case Evidence::DOUBT:
        return ports_.doubted();
      case Evidence::CANCEL:
        return bench_.cancelled();
      case Evidence::POWER:
        return bench_.power(fields[0], fields[1]);
      case Evidence::CONFIG:
        return bench_.config(fields);
      case Evidence::STATUS:
        return bench_.status(fields);
      case Evidence::CUT:
        return bench_.cut(fields[0]);
      case Evidence::RULE:
        return bench_.rule(big32(fields));
      case Evidence::STOP:
        return bench_.stopped(text());
      case Evidence::REGISTER:
        return counters_.read(at, fields[0], big32(fields + 1));
      case Evidence::FATE:
        if (bench_.fate(fields, altered)) fit_.forged(1 - at);
        return;
      case Evidence::END:
        ended = true;
        return;
    }
  }

  // After the last packet of the run.
  void finish() {
    if (ended || bench_.stop_packet)
      for (uint8_t end = 0; end < 2; ++end) {
        run_.now.end = end;
        run_.now.cycle = ~0ull;
        ports_.unmatched();
      }
    if (!bench_.stop_packet)
      for (uint8_t end = 0; end < 2; ++end) bench_.leave_open(end, nullptr);
    if (ended && whole() && bench_.stop_packet) counters_.check(run_.book.findings, run_.now.place);
  }

 private:
  static constexpr uint32_t kHead = 16;
  static constexpr uint8_t kTypes = 15;
  // Bytes of each type without its tail, head included.
  static constexpr uint32_t kLeast[kTypes + 1] = {16, 24, 28, 29, 25, 24, 18, 18,
                                                  35, 30, 17, 20, 16, 21, 33, 16};
  // PARAMETER, RULE, STOP, END: the bench's own.
  static constexpr uint32_t kOfBench = 1u | 1u << 11 | 1u << 12 | 1u << 15;
  // PARAMETER, CONFIG, STATUS: what cycle 0 begins with.
  static constexpr uint32_t kAtFirst = 1u | 1u << 8 | 1u << 9;

  void parameter(const std::string& text) {
    static constexpr std::string_view kEthertype = "ethertype=", kCycle = "cycle_ns=";
    if (text.starts_with(kEthertype))
      run_.book.ethertype =
          static_cast<uint16_t>(std::strtoul(text.c_str() + kEthertype.size(), nullptr, 16));
    if (text.starts_with(kCycle)) {
      const double value = std::strtod(text.c_str() + kCycle.size(), nullptr);
      cycle_ns_ = std::isfinite(value) && value > 0 ? value : 0;
      start_ = run_.now.place.time;
    }
    if (text == "ends=1") run_.gap(run_.now.cycle);  // what the other end does stands elsewhere
    if (text.c_str()[0] && parameters.size() < kParameters) parameters.push_back(text);
  }

  // The time of the capture is that of the run, but for where it begins.
  void on_time(uint32_t resolution) {
    if (!cycle_ns_) return;
    const double off = static_cast<double>(run_.now.place.time - start_) -
                       static_cast<double>(run_.now.cycle) * cycle_ns_;
    if (std::abs(off) > std::max(cycle_ns_, static_cast<double>(resolution)))
      run_.book.findings.bench_error(run_.now.place, "evidence of cycle %llu stands at another time",
                                     static_cast<unsigned long long>(run_.now.cycle));
  }

  void step(uint64_t word) {
    const uint8_t code = static_cast<uint8_t>(word >> 56);
    const uint8_t info = static_cast<uint8_t>(word >> 32);
    const uint32_t value = static_cast<uint32_t>(word);
    const uint8_t at = run_.now.end;
    Run::End& end = run_.ends[at];
    counters_.event(at, code, info);
    if ((code & 0xF0) == static_cast<uint8_t>(EventCode::RECEIVED))
      fit_.verdict(at, static_cast<EventCode>(code), info, value, run_.now.place);
    switch (static_cast<EventCode>(code)) {
      case EventCode::CRASH:
        ++run_.counts[at].crashes;
        fit_.restarted(at);
        run_.outgoing(at).crashed_at = run_.now.place.packet;
        return;
      case EventCode::AMNESIA:
        fit_.restarted(at);
        return initiator_.forgot(end);
      case EventCode::ENABLED:
        if (!end.known || end.own) return;
        if (!end.has_config) {
          end.known = false;
          return;
        }
        end.session = end.offered;
        end.own = static_cast<uint32_t>(end.session);
        std::copy_backward(end.drawn, end.drawn + 3, end.drawn + 4);
        end.drawn[0] = end.session;
        return run_.pair_changed(at);
      case EventCode::SESSION_ADOPTED:
        initiator_.left_behind();
        end.peer = value;
        return run_.pair_changed(at);
      case EventCode::INITIATOR_VIOLATION:
      case EventCode::RESPONDER_VIOLATION:
      case EventCode::PAIR_VIOLATION:
        return told_violation(code, value);
      case EventCode::UNOPENED_TOLD:
        return initiator_.unopened_told(end, info, value);
      case EventCode::RECORD_DISCARDED:
        ++run_.counts[at].discarded;
        if (ports_.match(end.submit, nullptr, nullptr, "RECORD_DISCARDED without its submission") &&
            !(end.record.user & 1))
          run_.broken(Promise::CONSERVATION, "a good record was dropped");
        return;
      case EventCode::OPENED:
      case EventCode::DECIDED:
      case EventCode::MISMATCHED:
      case EventCode::CANCELLED:
      case EventCode::ABORT_CONFIRMED:
      case EventCode::DONE_HEARD:
      case EventCode::TOLD: {
        Lane& lane = run_.outgoing(at);
        if (Page* page = run_.book.lanes.page(lane, value))
          initiator_.step(static_cast<EventCode>(code), lane, *page, info);
        return;
      }
      case EventCode::HELD:
      case EventCode::REFLECTED:
      case EventCode::REFUSED:
      case EventCode::COMMIT_HEARD:
      case EventCode::DELIVERED:
      case EventCode::SKIPPED:
      case EventCode::REVERSED:
      case EventCode::ABORT_RECORDED:
      case EventCode::DOUBTED: {
        Lane& lane = run_.incoming(at);
        if (Page* page = run_.book.lanes.page(lane, value))
          responder_.step(static_cast<EventCode>(code), lane, *page, info);
        return;
      }
      case EventCode::SENT:
        fit_.step_sent(at, info, value);
        return sent(static_cast<Operation>(info), value);
      default:
        return;
    }
  }

  void told_violation(uint8_t code, uint32_t value) {
    Run::End& end = run_.ends[run_.now.end];
    if (++end.told_violations <= end.forged) return;  // a forged frame makes an end tell of one
    const char* name = "PAIR_VIOLATION";
    if (static_cast<EventCode>(code) == EventCode::INITIATOR_VIOLATION) name = "INITIATOR_VIOLATION";
    if (static_cast<EventCode>(code) == EventCode::RESPONDER_VIOLATION) name = "RESPONDER_VIOLATION";
    // The FATE of a forged frame may stand in a gap.
    run_.book.findings.add(Promise::NO_VIOLATION, run_.torn == 0, false, run_.now.place, nullptr, nullptr,
                       "end %c told %s %u", run_.now.end ? 'b' : 'a', name, value);
  }

  // What is sent must be so.
  void sent(Operation operation, uint32_t id) {
    const bool is_request = operation == Operation::ABORT || operation == Operation::COMMIT;
    if (!is_request && operation != Operation::DONE && operation != Operation::ABORTED) return;
    Lane& lane = is_request ? run_.outgoing(run_.now.end) : run_.incoming(run_.now.end);
    Page* page = run_.book.lanes.page(lane, id);
    if (!page) return;
    switch (operation) {
      case Operation::ABORT:
        page->flags |= ABORT_SENT;
        if (page->has(DECIDED))
          run_.broken(Promise::FINAL, lane, *page, ": ABORT sent after its decision");
        return;
      case Operation::COMMIT:
        if (!page->has(DECIDED) && Run::opened_here(lane, *page))
          run_.absent(Promise::FINAL, lane, *page, ": COMMIT sent, not decided");
        return;
      case Operation::DONE:
        if (!page->has(DELIVERED) && Run::seen_here(lane, *page))
          run_.absent(Promise::NO_FALSE_COMPLETION, lane, *page, ": DONE sent, nothing was delivered");
        return;
      default:
        if (page->has(DELIVERED))
          run_.broken(Promise::AGREEMENT, lane, *page, ": ABORTED sent, it was delivered");
    }
  }

  Run run_;
  Ports ports_{run_};
  Initiator initiator_{run_, ports_};
  Responder responder_{run_, ports_};
  Bench bench_{run_};
  Fit& fit_;
  Counters counters_;
  uint32_t next_ = 0;
  bool has_stepped_ = false;
  double cycle_ns_ = 0;  // 0: not known
  uint64_t start_ = 0;   // time of cycle 0
};

}  // namespace oae
