// Joining as a library; host/oae/capture/join.py is its Python side.
#include "join.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

using oae::Join;

EXPORTED Join* oae_join_begin(const char* names, int is_relayed) { return new Join(names, is_relayed != 0); }

EXPORTED void oae_join_feed(Join* join, int source, const uint8_t* bytes, size_t size, int last) {
  join->feed(source, bytes, size, last != 0);
  join->run();
}

EXPORTED int oae_join_wants(const Join* join) { return join->wants(); }

// The blocks that came out since the last time, if there is room; how many bytes they are.
EXPORTED size_t oae_join_take(Join* join, uint8_t* to, size_t room) {
  const size_t size = join->out.bytes.size();
  if (!to || size > room) return size;
  std::memcpy(to, join->out.bytes.data(), size);
  join->out.bytes.clear();
  return size;
}

EXPORTED const oae::Joined* oae_joined(const Join* join) { return &join->joined; }

EXPORTED const char* oae_join_damage(const Join* join, int source) { return join->damage(source); }

EXPORTED void oae_join_end(Join* join) { delete join; }
