// Judges the steps of an initiator: every record has one outcome, and the outcome is true.
#pragma once
#include "ports.h"

namespace oae {

class Initiator {
 public:
  using End = Run::End;
  using Record = Run::Record;
  using Completed = Run::Completed;

  Initiator(Run& run, Ports& ports) : run_(run), ports_(ports) {}

  void forgot(End& end) {
    end.forgotten_at = run_.now.cycle;
    ++run_.counts[run_.now.end].amnesias;
    Lane& lane = run_.outgoing(run_.now.end);
    for (const uint16_t at : lane.used) {
      const Page& page = lane.ring[at];
      if (!page.has(OPENED) || page.has(TOLD)) continue;
      ++run_.counts[run_.now.end].lost;
      run_.closed(page);
    }
    end.forgotten.add(end.own);
    end.own = end.peer = 0;
    end.known = true;
    run_.pair_changed(run_.now.end);
  }

  // Before it changes its session pair an end must have told every outcome.
  void left_behind() {
    Lane& lane = run_.outgoing(run_.now.end);
    if (!run_.ends[run_.now.end].open) return;
    for (const uint16_t at : lane.used) {
      Page& page = lane.ring[at];
      if (page.has(OPENED) && !page.has(TOLD))
        run_.absent(Promise::CONSERVATION, lane, page, ": session left, it was never told");
    }
  }

  void unopened_told(End& end, uint8_t info, uint32_t tag) {
    ++run_.counts[run_.now.end].unopened;
    ports_.match(end.submit, nullptr, nullptr, "UNOPENED_TOLD without its submission");
    if (ports_.match(end.complete, nullptr, nullptr, "UNOPENED_TOLD without its completion") &&
        (end.completed.tag != tag || end.completed.outcome != (info & 3)))
      run_.broken(Promise::PORTS, "the completion of a record that was not opened is not what was told");
  }

  void step(EventCode code, Lane& lane, Page& page, uint8_t info) {
    switch (code) {
      case EventCode::OPENED:
        return opened(lane, page, info);
      case EventCode::DECIDED:
        return decided(lane, page);
      case EventCode::DONE_HEARD:
        if (!page.has(DELIVERED) && lane.whole)
          run_.absent(Promise::NO_FALSE_COMPLETION, lane, page, ": DONE believed, nothing was delivered");
        if (!page.has(DONE_HEARD)) run_.measure_arrived(lane, ARRIVAL_TO_DONE, page);
        run_.mark(page, DONE_HEARD);
        run_.measure(lane, SUBMISSION_TO_DONE, page, OPENED);
        return settle(lane, page);
      case EventCode::TOLD:
        return told(lane, page, info);
      default:
        page.flags |= UNDECIDABLE;
        run_.mark(page, TAKEN_BACK);
        if (page.has(DECIDED))
          run_.broken(Promise::FINAL, lane, page, ": %s after the decision",
                 code == EventCode::MISMATCHED  ? "MISMATCHED"
                 : code == EventCode::CANCELLED ? "CANCELLED"
                                                : "ABORT_CONFIRMED");
    }
  }

 private:
  void opened(Lane& lane, Page& page, uint8_t info) {
    End& end = run_.ends[run_.now.end];
    if (page.has(OPENED) || (lane.next_known && page.id != lane.next_id))
      run_.broken(Promise::CONSERVATION, lane, page, " opened, %u was to come next", lane.next_id);
    lane.next_id = page.id + 1;
    lane.next_known = true;
    if (!page.has(OPENED)) {
      ++end.open;
      run_.in_flight();
    }
    run_.mark(page, OPENED);
    ++run_.counts[run_.now.end].opened;
    if (!ports_.match(end.submit, &lane, &page, ": OPENED without its submission")) return;
    const Record& record = end.record;
    if (record.user & 1 || record.kind != info)
      run_.broken(Promise::PORTS, lane, page, " opened from a bad or other record");
    page.record_bytes = record.size, page.kind = record.kind, page.tag = record.tag;
    if (record.known) page.submitted_hash = record.hash, page.flags |= SUBMITTED;
  }

  bool undecidable(const Lane& lane, const Page& page) const {
    const bool crashed = page.has(OPENED) && !page.has(DECIDED) && page.packet[OPENED] < lane.crashed_at;
    return page.flags & UNDECIDABLE || crashed;
  }

  void decided(Lane& lane, Page& page) {
    if (undecidable(lane, page))
      run_.broken(Promise::FINAL, lane, page, " decided after it was taken back");
    if (page.has(ABORT_RECORDED))
      run_.broken(Promise::AGREEMENT, lane, page, " decided; its responder aborted it");
    if (!page.has(OPENED) && lane.whole)
      run_.absent(Promise::CONSERVATION, lane, page, " decided but never opened");
    if (page.has(DECIDED)) return;
    run_.mark(page, DECIDED);
    run_.measure(lane, SUBMISSION_TO_DECISION, page, OPENED);
    run_.measure(lane, DATA_TO_DECISION, page, DATA);
    run_.measure_arrived(lane, ARRIVAL_TO_DECISION, page);
  }

  void settle(const Lane& lane, Page& page) {
    if (!page.has(DECIDED) || page.flags & SETTLED) return;
    page.flags |= SETTLED;
    run_.measure(lane, IN_DOUBT_INITIATOR, page, DECIDED);
  }

  void told(Lane& lane, Page& page, uint8_t info) {
    static constexpr const char* kNames[] = {"nothing", "COMMITTED", "ABORTED", "UNKNOWN"};
    End& end = run_.ends[run_.now.end];
    const uint8_t outcome = info & 3, reason = info >> 2;
    if (ports_.match(end.complete, &lane, &page, ": TOLD without its completion")) {
      const Completed& said = end.completed;
      const bool same = said.id == page.id && said.outcome == outcome && said.reason == reason;
      if (!same || (page.flags & SUBMITTED && (said.tag != page.tag || said.kind != page.kind)))
        run_.broken(Promise::PORTS, lane, page, ": the completion is not what was told");
    }
    if (page.has(TOLD))
      run_.broken(Promise::CONSERVATION, lane, page, " told %s; told %s before", kNames[outcome],
             kNames[page.outcome]);
    else if (!page.has(OPENED) && lane.whole)
      run_.absent(Promise::CONSERVATION, lane, page, " told %s; it was never opened", kNames[outcome]);
    if (page.has(OPENED) && !page.has(TOLD)) run_.closed(page);
    run_.mark(page, TOLD);
    page.outcome = outcome, page.reason = reason;
    settle(lane, page);
    run_.measure(lane, SUBMISSION_TO_OUTCOME, page, OPENED);
    run_.measure(lane, DECISION_TO_OUTCOME, page, DECIDED);
    ++run_.book.intervals.at(run_.now.place.time).told[run_.now.end];
    switch (static_cast<Outcome>(outcome)) {
      case Outcome::COMMITTED:
        ++run_.counts[run_.now.end].committed;
        if (!page.has(DELIVERED) && lane.whole)
          run_.absent(Promise::NO_FALSE_COMPLETION, lane, page, " told COMMITTED before it was delivered");
        else if (!page.has(DONE_HEARD) && Run::opened_here(lane, page))
          run_.absent(Promise::NO_FALSE_COMPLETION, lane, page, " told COMMITTED, no DONE was heard");
        if (!page.has(DECIDED) && Run::opened_here(lane, page))
          run_.absent(Promise::FINAL, lane, page, " told COMMITTED, never decided");
        return;
      case Outcome::ABORTED:
        ++run_.counts[run_.now.end].aborted;
        page.flags |= UNDECIDABLE;
        if (page.has(DECIDED)) run_.broken(Promise::FINAL, lane, page, " told ABORTED after its decision");
        if (page.has(DELIVERED) || page.has(COMMIT_HEARD))
          run_.broken(Promise::AGREEMENT, lane, page, " told ABORTED, COMMITTED at its responder");
        return;
      default:
        ++run_.counts[run_.now.end].unknown;
        if (!run_.forgot(1 - lane.end, lane) && run_.torn == 0)
          run_.absent(Promise::CONSERVATION, lane, page, " told UNKNOWN though the peer kept its memory");
    }
  }

  Run& run_;
  Ports& ports_;
};

}  // namespace oae
