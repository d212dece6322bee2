// The program's heap is jemalloc with huge pages that are kept between steps.
//
// A step takes its temporaries (hundreds of MB) from malloc and gives them
// back. glibc returns them to the kernel each time; faulting 4 KiB pages in
// again was 43 % of the CPU time of a small step and 16 % of a large one.
// Measured (4 x 512 BERT, bf16, batch 1 x 16): 124 ms CPU a step with glibc,
// 56 ms with this.
extern "C" {
extern const char* const malloc_conf;
const char* const malloc_conf =
    "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1";
}
