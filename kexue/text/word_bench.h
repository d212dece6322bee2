// Times the ways of counting, and fits the laws of growing vocabularies.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kexue/text/word_count.h"

namespace kexue::text {

struct BenchRow {
  std::string name;
  int threads = 1;
  double least_s = 0;         // wall
  double median_s = 0;        // wall
  double cpu_s = 0;           // least, all threads
  uint64_t distinct = 0;      // 0: nothing was counted
  uint64_t memory_bytes = 0;  // largest resident size during a run
};

struct WordBench {
  uint64_t text_bytes = 0;
  uint64_t tokens = 0;
  uint64_t distinct = 0;
  int repeats = 0;
  uint64_t peak_rss_bytes = 0;
  // naive; batched, 1 and W threads; ours, 1 and W threads; for SpaceWords
  // also the pass that only splits and hashes, 1 and W threads.
  std::vector<BenchRow> rows;

  // Heaps' law, words seen and different ones: d = K n^beta, by least squares
  // of the logarithms over the upper three quarters of the growth.
  std::vector<std::pair<uint64_t, uint64_t>> growth;
  double heaps_k = 0;
  double heaps_beta = 0;
  // Zipf's law: count ~ rank^-s, over ranks from 10 with a count of at least
  // 5, evenly spaced in the logarithm.
  std::vector<std::pair<uint64_t, uint64_t>> ranks;
  double zipf_s = 0;

  // T_1(naive) / T; the same by thread; against the best way with one thread.
  double speed_up(const BenchRow& row) const;
  double efficiency(const BenchRow& row) const;
  double efficiency_to_best_serial(const BenchRow& row) const;
};

// Ways take turns, `repeats` times each.
// Errors: those of count_words(); kInvalidArgument for "-", which can be read
//         but once, and for repeats < 1; kInternal if two tables differ.
WordBench bench_words(const std::vector<std::string>& inputs,
                      const WordSplitter& splitter,
                      const CountOptions& options,
                      int repeats);

// y = a + b x by least squares; {0, 0} for fewer than two different x.
std::pair<double, double> fit_line(const std::vector<double>& x,
                                   const std::vector<double>& y);

}  // namespace kexue::text
