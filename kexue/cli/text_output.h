// What the commands on lines of text have in common.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kexue/cli/commands.h"
#include "kexue/cli/lines.h"
#include "kexue/train/inference.h"

namespace kexue::cli {

// Rows that are computed together: enough to fill the length buckets, few
// enough that results appear while a long file is read.
inline constexpr size_t kBlockLines = 4096;

// Without kernels every fused op runs as its composition.
runtime::SessionOptions session_options(const DeviceOptions& options);
runtime::Session open_session(const DeviceOptions& options,
                              bool use_kernels = true);
train::InferenceOptions inference_options(const TextOptions& options);

// Errors: kNotFound if there is no such folder.
void require_model_folder(const std::string& folder);

// "text" as a JSON string, quotes included.
std::string json_text(std::string_view text);
// A number with 9 significant digits, which gives an f32 back exactly.
// Errors: kCorruptData naming `where` if it is not finite.
std::string json_number(float value, const std::string& where);
std::string json_numbers(std::span<const float> values,
                         const std::string& where);

std::vector<std::string> texts_of(const std::vector<Line>& lines);

// Notices on stderr, if there is anything to tell.
void note_skipped(const LineReader& lines, Console& console);
void note_truncated(const train::Inference& model, Console& console);

}  // namespace kexue::cli
