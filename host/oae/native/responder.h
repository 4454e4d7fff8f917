// Judges the steps of a responder: it delivers what is COMMITTED, once and in order, and decides nothing.
#pragma once
#include "ports.h"

namespace oae {

class Responder {
 public:
  using End = Run::End;
  using Record = Run::Record;

  Responder(Run& run, Ports& ports) : run_(run), ports_(ports) {}

  void step(EventCode code, Lane& lane, Page& page, uint8_t info) {
    const bool refused_or_aborted = page.has(ABORT_RECORDED);
    switch (code) {
      case EventCode::HELD:
        if (page.has(REFLECTED) || refused_or_aborted)
          run_.broken(Promise::FINAL, lane, page, " accepted again");
        if (!(page.flags & HELD)) page.arrived = run_.now.place.time;
        page.flags |= HELD;
        return;
      case EventCode::REFLECTED:
        return run_.mark(page, REFLECTED);
      case EventCode::REFUSED:
        if (page.has(REFLECTED))
          run_.broken(Promise::NEVER_ALONE, lane, page, " refused after its reflection");
        responder_aborts(lane, page);
        page.flags |= REFUSED;
        return run_.mark(page, ABORT_RECORDED);
      case EventCode::COMMIT_HEARD:
        if (!page.has(DECIDED) && lane.whole)
          run_.absent(Promise::AGREEMENT, lane, page, " COMMITTED at the responder, not at its initiator");
        if (refused_or_aborted)
          run_.broken(Promise::FINAL, lane, page, " COMMITTED after it was aborted");
        if (page.has(COMMIT_HEARD)) return;
        page.commit_heard_cycle = run_.now.cycle;
        run_.mark(page, COMMIT_HEARD);
        return run_.measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
      case EventCode::DELIVERED:
        return record_delivered(lane, page, info);
      case EventCode::SKIPPED:
        advance(lane, page);
        if (!page.has(DELIVERED) && page.has(COMMIT_HEARD))
          run_.broken(Promise::EXACTLY_ONCE, lane, page, " COMMITTED and then passed over");
        return;
      case EventCode::REVERSED:
        if (!(page.flags & ABORT_SENT) && lane.whole)
          run_.absent(Promise::NEVER_ALONE, lane, page, " taken back; no ABORT was sent");
        return;
      case EventCode::ABORT_RECORDED:
        if (!(page.flags & ABORT_SENT) && lane.whole)
          run_.absent(Promise::NEVER_ALONE, lane, page, " aborted; no ABORT was sent");
        responder_aborts(lane, page);
        if (!refused_or_aborted) run_.measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
        return run_.mark(page, ABORT_RECORDED);
      default:
        return record_doubted(lane, page);
    }
  }

 private:
  void responder_aborts(const Lane& lane, Page& page) {
    if (page.has(COMMIT_HEARD))
      run_.broken(Promise::FINAL, lane, page, " aborted after its COMMIT was heard");
    if (page.has(DECIDED))
      run_.broken(Promise::AGREEMENT, lane, page, " aborted, COMMITTED at its initiator");
  }

  void record_delivered(Lane& lane, Page& page, uint8_t info) {
    End& end = run_.ends[run_.now.end];
    if (page.has(DELIVERED)) run_.broken(Promise::EXACTLY_ONCE, lane, page, " delivered again");
    advance(lane, page);
    const bool unheard = !page.has(COMMIT_HEARD) && Run::seen_here(lane, page);
    if (unheard || (!page.has(DECIDED) && lane.whole))
      run_.absent(Promise::NOT_BEFORE_COMMITTED, lane, page, " delivered before it was COMMITTED");
    const bool told_aborted = page.has(TOLD) && page.outcome == static_cast<uint8_t>(Outcome::ABORTED);
    if (told_aborted || page.has(ABORT_RECORDED))
      run_.broken(Promise::AGREEMENT, lane, page, " delivered, aborted elsewhere");
    if (!page.has(DELIVERED)) {
      run_.measure(lane, DECISION_TO_DELIVERY, page, DECIDED);
      run_.measure(lane, SUBMISSION_TO_DELIVERY, page, OPENED);
      run_.measure_arrived(lane, ARRIVAL_TO_DELIVERY, page);
    }
    run_.mark(page, DELIVERED);
    ++run_.counts[run_.now.end].delivered;
    if (info == static_cast<uint8_t>(Kind::EPOCH_ADVANCE)) return;
    if (!ports_.match(end.deliver, &lane, &page, ": DELIVERED without its record")) return;
    const Record& record = end.taken;
    run_.counts[run_.now.end].delivered_bytes += record.size;
    run_.book.intervals.at(run_.now.place.time).delivered_bytes[run_.now.end] += record.size;
    if (record.known) run_.book.taken[run_.now.end].add(page.id, record.hash);
    if (record.id != page.id)
      run_.broken(Promise::PORTS, lane, page, " delivered as id %u", record.id);
    if (record.known && page.flags & SUBMITTED && record.hash != page.submitted_hash)
      run_.broken(Promise::UNALTERED, lane, page, ": %u bytes delivered are not those submitted",
             record.size);
  }

  void advance(Lane& lane, Page& page) {
    if (lane.deliver_known && page.id != lane.deliver_pointer)
      run_.broken(Promise::EXACTLY_ONCE, lane, page, " passed, %u was to come next", lane.deliver_pointer);
    lane.deliver_pointer = page.id + 1;
    lane.deliver_known = true;
  }

  void record_doubted(Lane& lane, Page& page) {
    ports_.match(run_.ends[run_.now.end].doubt, &lane, &page, ": DOUBTED without its doubt word");
    advance(lane, page);
    ++run_.counts[run_.now.end].doubted;
    if (page.has(COMMIT_HEARD))
      run_.broken(Promise::FINAL, lane, page, " doubted after its COMMIT was heard");
    if (!run_.forgot(lane.end, lane) && run_.torn == 0)
      run_.absent(Promise::FINAL, lane, page, " doubted though the initiator kept its memory");
    if (!page.has(DOUBTED)) run_.measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
    run_.mark(page, DOUBTED);
  }

  Run& run_;
  Ports& ports_;
};

}  // namespace oae
