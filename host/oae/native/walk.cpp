// The walk through a capture as a library; host/oae/capture/read.py is its Python side.
#include "walk.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

using oae::Walk;

// A new walk, or null if what begins with these bytes is no capture.
EXPORTED Walk* oae_walk_begin(const uint8_t* head, size_t size) {
  Walk* walk = new Walk;
  if (walk->begin(head, size)) return walk;
  delete walk;
  return nullptr;
}

EXPORTED size_t oae_walk(Walk* walk, const uint8_t* chunk, size_t size, int last,
                         oae::Packet* packets, size_t room, size_t* consumed) {
  return walk->walk(chunk, size, last != 0, packets, room, consumed);
}

EXPORTED const char* oae_walk_format(const Walk* walk) {
  return walk->format == oae::Format::PCAPNG ? "pcapng" : "pcap";
}

EXPORTED const char* oae_walk_damage(const Walk* walk) { return walk->damage; }

EXPORTED uint64_t oae_walk_position(const Walk* walk) { return walk->position; }

EXPORTED uint64_t oae_walk_count(const Walk* walk) { return walk->count; }

EXPORTED size_t oae_walk_interfaces(const Walk* walk, const oae::Interface** interfaces) {
  *interfaces = walk->interfaces.data();
  return walk->interfaces.size();
}

EXPORTED void oae_walk_end(Walk* walk) { delete walk; }
