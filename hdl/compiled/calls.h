// The calls of the Verilog (DPI) go to the run that is under way.
#pragma once
#include "crc_words.h"
#include "observed.h"
#include "schedule.h"

namespace oae {
// Only one run at a time is under way in a process.
inline Observed* observed = nullptr;
inline const Schedule* schedule = nullptr;
}  // namespace oae

extern "C" {
unsigned long long oae_schedule_word(unsigned int address) { return oae::schedule->word(address); }
unsigned int oae_crc_word(unsigned int crc, unsigned long long word) {
  return oae::crc_word(crc, word);
}
unsigned int oae_crc_record_word(unsigned int crc, unsigned long long word) {
  return oae::crc_record_word(crc, word);
}
void oae_parameter(const char* name, int end, unsigned long long value, int digits) {
  oae::observed->parameter(name, end, value, digits);
}
void oae_cycle() { oae::observed->next_cycle(); }
void oae_event(int end, int channel, unsigned long long word) {
  oae::observed->event(end, channel, word);
}
void oae_config(int end, int enable, int beats, int accept, unsigned long long session,
                unsigned int epoch, unsigned int prepared) {
  oae::observed->config(end, enable, beats, accept, session, epoch, prepared);
}
void oae_status(int end, int link_state, int incoming, int outgoing, int changing,
                unsigned int epoch, unsigned int converged, int initiator_balance,
                int responder_balance) {
  oae::observed->status(end, link_state, incoming, outgoing, changing, epoch, converged,
                        initiator_balance, responder_balance);
}
void oae_cut(int end, int is_cut) { oae::observed->cut(end, is_cut); }
void oae_power(int end, int is_crash, int is_amnesia) {
  oae::observed->power(end, is_crash, is_amnesia);
}
void oae_rule(int number) { oae::observed->rule(static_cast<uint32_t>(number)); }
void oae_stop(int reason) { oae::observed->stopped(static_cast<uint32_t>(reason)); }
void oae_register(int end, int address, unsigned int value) {
  oae::observed->read(end, static_cast<uint8_t>(address), value);
}
void oae_restart(int end) { oae::observed->restart(end); }
void oae_beat(int stream, unsigned long long data) { oae::observed->beat(stream, data); }
void oae_packet(int stream, int keep, int user, unsigned int argument) {
  oae::observed->packet(stream, static_cast<uint32_t>(keep), user, argument);
}
void oae_complete(int end, int tag, unsigned int id, int kind, int outcome, int reason) {
  oae::observed->complete(end, static_cast<uint16_t>(tag), id, static_cast<uint8_t>(kind),
                          static_cast<uint8_t>(outcome), static_cast<uint8_t>(reason));
}
void oae_doubt(int end, unsigned int id, unsigned int digest) {
  oae::observed->doubt(end, id, digest);
}
void oae_cancel(int end, int tag) { oae::observed->cancel(end, static_cast<uint16_t>(tag)); }
void oae_fate(int end, unsigned int number, int operation, unsigned int id, int copy, int faults,
              int rule) {
  oae::observed->fate(end, number, static_cast<uint8_t>(operation), id, static_cast<uint16_t>(copy),
                      static_cast<uint16_t>(faults), static_cast<uint32_t>(rule));
}
void oae_end() { oae::observed->ended(); }
}
