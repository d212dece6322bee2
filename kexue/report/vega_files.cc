// The assembler copies the files (cmake/KexueVega.cmake says where they lie):
// 0.8 MB as a C++ array would take the compiler seconds.
#include "kexue/report/vega_files.h"

#define KEXUE_EMBED(symbol, file)                                              \
  __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" file "\"\n" #symbol \
          "_end:\n.byte 0\n.popsection\n");                                    \
  extern "C" const char symbol[];                                              \
  extern "C" const char symbol##_end[]

KEXUE_EMBED(kexue_vega, "vega.min.js");
KEXUE_EMBED(kexue_vega_licence, "vega.LICENSE");
KEXUE_EMBED(kexue_vega_lite, "vega-lite.min.js");
KEXUE_EMBED(kexue_vega_lite_licence, "vega-lite.LICENSE");
KEXUE_EMBED(kexue_vega_embed, "vega-embed.min.js");
KEXUE_EMBED(kexue_vega_embed_licence, "vega-embed.LICENSE");

namespace kexue::report {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::span<const VegaFile> vega_files() {
  static const VegaFile files[] = {
      {"Vega",
       between(kexue_vega_licence, kexue_vega_licence_end),
       between(kexue_vega, kexue_vega_end)},
      {"Vega-Lite",
       between(kexue_vega_lite_licence, kexue_vega_lite_licence_end),
       between(kexue_vega_lite, kexue_vega_lite_end)},
      {"Vega-Embed",
       between(kexue_vega_embed_licence, kexue_vega_embed_licence_end),
       between(kexue_vega_embed, kexue_vega_embed_end)},
  };
  return files;
}

}  // namespace kexue::report
