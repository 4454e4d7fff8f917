// The waveform of a stretch of a run, in builds that can write one; in all others nothing.
#pragma once
#include "Voae_link_pair_top.h"
#include "job.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace oae {

class Waveform {
 public:
#if VM_TRACE_FST
  explicit Waveform(VerilatedContext& context) : context_(context) { context.traceEverOn(true); }

  void of(Voae_link_pair_top& top, const Job& job) {
    job_ = &job;
    if (!job.waveform.empty()) top.trace(&file_, kDepth);
  }

  void dump(uint64_t cycle) {
    if (job_->waveform.empty() || cycle + 1 < job_->waveform_from + 1 || cycle > job_->waveform_to)
      return;
    if (!file_.isOpen()) file_.open(job_->waveform.c_str());
    file_.dump(context_.time());
  }

  ~Waveform() { file_.close(); }

 private:
  static constexpr int kDepth = 99;  // of scopes: all of them
  VerilatedContext& context_;
  VerilatedFstC file_;
  const Job* job_ = nullptr;
#else
  explicit Waveform(VerilatedContext&) {}
  void of(Voae_link_pair_top&, const Job&) {}
  void dump(uint64_t) {}
#endif
};

}  // namespace oae
