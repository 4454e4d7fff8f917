// Judges the ports of the host: each handshake has its step, each step its handshake.
#pragma once
#include "run.h"

namespace oae {

class Ports {
 public:
  using End = Run::End;
  using Waiting = Run::Waiting;

  explicit Ports(Run& run) : run_(run) {}

  void submitted(const uint8_t* fields, uint32_t size) {
    unmatched();
    if (fields[11] & 2) return;
    End& end = run_.ends[run_.now.end];
    end.submit = {true, run_.now.cycle, run_.now.place};
    end.record = {content_hash(fields + 12, size), size + run_.now.missing, 0, big16(fields + 8),
                  fields[10], fields[11], run_.now.missing == 0};
  }

  void delivered(const uint8_t* fields, uint32_t size) {
    unmatched();
    End& end = run_.ends[run_.now.end];
    const uint64_t first = big64(fields);
    const uint32_t id = big32(fields + 8);
    const bool user = fields[12] & 1, cut_short = fields[12] & 2;
    Lane& lane = run_.incoming(run_.now.end);
    Page* page = run_.book.lanes.page(lane, id);
    if (!page) return;
    if (cut_short && !user) {
      run_.broken(Promise::PORTS, lane, *page, ": a crash in mid-packet, not marked bad");
    } else if (!user) {
      end.deliver = {true, run_.now.cycle, run_.now.place};
      end.taken = {content_hash(fields + 13, size), size + run_.now.missing, id, 0, 0, 0,
                   run_.now.missing == 0};
    }
    if (first < end.forgotten_at) return;  // what was open belonged to a pair that is gone
    constexpr char kText[] = ": bytes reached the host before the COMMIT was heard";
    if (!page->has(COMMIT_HEARD) && Run::seen_here(lane, *page))
      run_.absent(Promise::NOT_BEFORE_COMMITTED, lane, *page, kText);
    else if (page->has(COMMIT_HEARD) && page->commit_heard_cycle > first)
      run_.broken(Promise::NOT_BEFORE_COMMITTED, lane, *page, kText);
  }

  void completed(const uint8_t* fields) {
    unmatched();
    End& end = run_.ends[run_.now.end];
    end.complete = {true, run_.now.cycle, run_.now.place};
    end.completed = {big32(fields), big16(fields + 4), fields[6], fields[7], fields[8]};
  }

  void doubted() {
    unmatched();
    run_.ends[run_.now.end].doubt = {true, run_.now.cycle, run_.now.place};
  }

  // Handshakes of an earlier cycle whose step was never told.
  void unmatched() {
    End& end = run_.ends[run_.now.end];
    const auto check = [&](Waiting& waiting, const char* text) {
      if (!waiting.is || waiting.cycle == run_.now.cycle) return;
      run_.book.findings.add(Promise::PORTS, true, true, waiting.place, nullptr, nullptr, "%s", text);
      waiting.is = false;
    };
    check(end.submit, "submit without its step");
    check(end.complete, "complete without its step");
    check(end.deliver, "deliver without its step");
    check(end.doubt, "doubt without its step");
  }

  // The handshake that belongs to this step.
  bool match(Waiting& waiting, const Lane* lane, Page* page, const char* text) {
    const bool found = waiting.is && waiting.cycle == run_.now.cycle;
    waiting.is = false;
    if (!found && !(run_.torn && run_.now.cycle == run_.gap_cycle))
      run_.book.findings.add(Promise::PORTS, true, true, run_.now.place, lane, page, "%s", text);
    return found;
  }

 private:
  Run& run_;
};

}  // namespace oae
