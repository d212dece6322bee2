// kexue wordfreq, and what its parts share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/console.h"
#include "kexue/text/word_count.h"
#include "kexue/text/word_splitter.h"

namespace kexue::cli {

struct WordfreqOptions {
  std::vector<std::string> inputs = {"-"};  // files, folders, "-"
  std::string tokenizer = "ws";
  std::string model;  // "": the tokenizer's own in data/ of the cache
  int64_t threads = 0;
  std::string mode = "auto";
  int64_t batch = 1000;  // lines
  int64_t top = -1;      // -1: all
  int64_t min_count = 1;
  std::string out;  // "": standard output
  bool strict = false;
  bool map_files = false;
  int64_t memory_mb = 0;  // 0: half of what is free
  std::string spill_folder;
  bool bench = false;
  int64_t repeats = 5;
  std::string page;  // of the bench
};
int run_wordfreq(const WordfreqOptions& options, Console& console);

// Errors: kInvalidArgument without --model where it is needed; what loading
//         it says.
std::unique_ptr<text::WordSplitter> make_splitter(const WordfreqOptions& o);
text::CountOptions count_options(const WordfreqOptions& o);

// All modes on the same input, taking turns; the table, and a page.
int run_wordfreq_bench(const WordfreqOptions& o,
                       const text::WordSplitter& splitter,
                       Console& console);

}  // namespace kexue::cli
